"""A teacher as data: what `[teacher]` accepts and what it says about what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_vc.compress.recipe import Recipe
from edge_vc.settings.field import RecipeError
from edge_vc.teachers.command import CommandSpec
from edge_vc.teachers.loading import teacher_hash
from edge_vc.teachers.network_file import DefaultSpec
from edge_vc.teachers.pairs_folder import PairsSpec
from edge_vc.teachers.reading import spec_from_table, spec_from_words
from edge_vc.teachers.registry import KINDS
from edge_vc.teachers.spec import TeacherError


def test_a_recipe_without_a_kind_means_our_own_network():
    assert Recipe.from_toml('[teacher]\nweights = "a.safetensors"').teacher == DefaultSpec(
        weights="a.safetensors"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_of_a_kind_has_a_range_that_holds_its_default(kind):
    needed = dict.fromkeys(KINDS[kind].needed, "x")
    spec = spec_from_table({"kind": kind, **needed})
    assert spec_from_table(vars(spec)) == spec
    assert spec.kind == kind


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('kind = "onx"', ['teacher.kind = "onx"', "unknown kind", "onnx, pairs"]),
        ("kind = 3", ["teacher.kind = 3", "unknown kind"]),
        ('kind = "onnx"', ["teacher.path", "is needed"]),
        ('kind = "onnx"\npath = "a"\nstate = "b"', ["teacher.state", "did you mean states?"]),
        ('kind = "pairs"\npath = "a"\nfactory = "b"', ["teacher.factory", "of kind pairs"]),
        ('kind = "command"\ncommand = "a"\ntimeout = 0', ["teacher.timeout = 0", "0.1 to 86400 s"]),
        ('kind = "module"\nfactory = "a:b"\nshape = "B,T"', ['"1,T", "1,1,T", "T"']),
    ],
)  # fmt: skip
def test_a_bad_table_is_one_line(text, words):
    with pytest.raises(RecipeError) as caught:
        Recipe.from_toml(f"[teacher]\n{text}\n")
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("shipped", "default"),
        ("a.safetensors", "default"),
        ("b.pt2", "program"),
        ("c.onnx", "onnx"),
    ],
)  # fmt: skip
def test_files_say_what_they_are(what, kind):
    assert spec_from_words(what).kind == kind


def test_a_folder_is_pairs_and_anything_else_is_refused(tmp_path):
    assert spec_from_words(str(tmp_path)) == PairsSpec(path=str(tmp_path))
    with pytest.raises(RecipeError, match="teacher.exe: no teacher; give shipped"):
        spec_from_words("teacher.exe")


def test_the_hash_follows_content_not_place(tmp_path: Path):
    first, second = tmp_path / "a.py", tmp_path / "b.py"
    first.write_text("x")
    second.write_text("x")

    def hash_of(command: str, **more: object) -> str:
        table = {"kind": "command", "command": f"{command} {{input}} {{output}}", **more}
        return teacher_hash(spec_from_table(table))

    plain = hash_of(f"python {first}")
    assert hash_of(f"python {first}", timeout=5.0, retries=3) == plain
    assert hash_of(f"python {first}", output_sample_rate=48000) != plain
    first.write_text("y")
    assert hash_of(f"python {first}") != plain


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TeacherError, match=r"none\.onnx.*no such file"):
        teacher_hash(spec_from_words(str(tmp_path / "none.onnx")))


def test_specs_are_frozen():
    with pytest.raises(AttributeError):
        CommandSpec().timeout = 3  # type: ignore[misc]

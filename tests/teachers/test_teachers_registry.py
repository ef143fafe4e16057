"""A kind of teacher from outside the package, and what is said of every kind."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner
from voices import record

import edge_vc
from edge_vc.compress.recipe import load_recipe
from edge_vc.labelling.cli import app
from edge_vc.labelling.report import load_report
from edge_vc.settings.field import RecipeError, choice
from edge_vc.settings.paths import path_field
from edge_vc.teachers.example import example_section
from edge_vc.teachers.kind import TeacherKind
from edge_vc.teachers.loading import open_teacher, teacher_hash
from edge_vc.teachers.reading import spec_from_table, spec_from_words
from edge_vc.teachers.registry import KINDS, register_teacher, unregister_teacher
from edge_vc.teachers.spec import TeacherSpec

RECIPES = Path(edge_vc.__file__).parent / "recipes" / "teachers"


@pytest.fixture
def gain(tmp_path: Path) -> Iterator[Path]:
    """The kind, registered for one test, and a file of it."""
    from teachers_gain import KIND

    register_teacher(KIND)
    (tmp_path / "half.gain").write_text("0.5")
    yield tmp_path / "half.gain"
    unregister_teacher("gain")


def test_a_kind_from_outside_is_in_help_and_errors(gain: Path) -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    assert "FILE.gain" in shown
    assert "A gain that is written in a file" in shown
    assert "command, gain" in shown
    with pytest.raises(RecipeError, match=r"give shipped, .*FILE\.gain"):
        spec_from_words("what")
    with pytest.raises(RecipeError, match="teacher.path: is needed by kind = "):
        spec_from_table({"kind": "gain"})


def test_a_kind_from_outside_labels_a_corpus(gain: Path, tmp_path: Path) -> None:
    from teachers_gain import KIND

    recipe = tmp_path / "gain.toml"
    recipe.write_text(example_section(KIND))
    spec = load_recipe(recipe).teacher
    assert spec == spec_from_words(str(recipe)) == spec_from_words(str(gain))
    teacher = open_teacher(spec)
    np.testing.assert_array_equal(teacher.convert(np.ones(4, np.float32)), np.full(4, 0.5))
    corpus = record(tmp_path / "recordings", 1)
    # The worker process imports the module that defines the settings, which registers the kind.
    args = [str(corpus), "--teacher", str(recipe), "-o", str(tmp_path / "out"), "--workers", "1"]
    done = CliRunner().invoke(app, [*args, "--delay", "none"])
    assert done.exit_code == 0, done.output
    (row,) = load_report(tmp_path / "out").kept
    assert row.outcome.level_db is not None


def test_a_kind_of_another_distribution_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an entry point, in a process that knows nothing of it."""
    (tmp_path / "gains-1.0.dist-info").mkdir()
    (tmp_path / "gains-1.0.dist-info" / "METADATA").write_text("Name: gains\nVersion: 1.0\n")
    points = "[edge_vc.teachers]\ngain = teachers_gain:KIND\n"
    (tmp_path / "gains-1.0.dist-info" / "entry_points.txt").write_text(points)
    code = "from edge_vc.teachers.registry import choices; print(choices())"
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parent), *filter(None, sys.path)])
    monkeypatch.setenv("PYTHONPATH", path)
    shown = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert "FILE.gain" in shown


def test_no_two_kinds_have_a_name_or_a_suffix(gain: Path) -> None:
    from teachers_gain import KIND

    @dataclass(frozen=True)
    class OtherSpec(TeacherSpec):
        kind: str = choice("gain", "gain")

    @dataclass(frozen=True)
    class GraphSpec(TeacherSpec):
        kind: str = choice("graph", "graph")
        path: str = path_field(suffixes=(".onnx",))

    with pytest.raises(ValueError, match="a gain teacher is registered already"):
        register_teacher(TeacherKind(OtherSpec, KIND.load, KIND.sources))
    with pytest.raises(ValueError, match=r"\.onnx files are onnx teachers already"):
        register_teacher(TeacherKind(GraphSpec, KIND.load, KIND.sources))
    register_teacher(KIND)


@pytest.mark.parametrize("name", KINDS)
def test_an_example_is_a_valid_recipe_with_every_key(name: str) -> None:
    table = tomllib.loads(example_section(KINDS[name]))["teacher"]
    spec = spec_from_table(table)
    assert set(table) == set(vars(spec))


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_shipped_examples_say_what_the_settings_say(path: Path) -> None:
    text = path.read_text()
    table = tomllib.loads(text)["teacher"]
    assert example_section(KINDS[table["kind"]], table) + "\n[" in text


def test_listing_the_kinds_loads_no_torch() -> None:
    code = "import sys, edge_vc.teachers.reading; print('torch' in sys.modules)"
    shown = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert shown == "False\n"


def test_paths_are_relative_to_the_recipe(gain: Path, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "voices").mkdir()
    from teachers_gain import GainSpec

    recipe = tmp_path / "gain.toml"
    recipe.write_text(
        '[teacher]\nkind = "gain"\npath = "half.gain"\n[data]\ncorpus = "voices"\nlabels = "away"\n'
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "half.gain").write_text("0.25")
    (elsewhere / "away").mkdir()
    monkeypatch.chdir(elsewhere)
    read = load_recipe(Path("..") / "gain.toml")
    assert read.teacher == GainSpec(path=str(tmp_path / "half.gain"))
    assert read.data.corpus == str(tmp_path / "voices")
    # What is not beside the recipe is looked for where the command runs.
    assert read.data.labels == "away"
    monkeypatch.chdir(tmp_path)
    assert load_recipe("gain.toml").teacher == GainSpec(path="half.gain")


@pytest.mark.parametrize(
    ("table", "key", "expected"),
    [
        ({"kind": "command", "command": "python 'a b.py' {input} {output}"}, "command",
         "python '{folder}/a b.py' {{input}} {{output}}"),
        ({"kind": "module", "factory": "a b.py:make"}, "factory", "{folder}/a b.py:make"),
        ({"kind": "module", "factory": "package.a:make"}, "factory", "package.a:make"),
    ],
)  # fmt: skip
def test_paths_within_a_value_are_relative_to_the_recipe_too(
    tmp_path: Path, table: dict[str, object], key: str, expected: str
) -> None:
    (tmp_path / "a b.py").write_text("")
    spec = spec_from_table(table, tmp_path)
    assert getattr(spec, key) == expected.format(folder=tmp_path)


@pytest.mark.parametrize(
    "values",
    [
        ("command", "command", "python {0} {{input}} {{output}}"),
        ("module", "factory", "{0}:make"),
        ("module", "weights", "{0}"),
    ],
    ids=lambda values: values[1],
)
def test_the_same_files_by_another_path_are_the_same_teacher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: tuple[str, str, str]
) -> None:
    kind, key, text = values
    monkeypatch.chdir(tmp_path)
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "code.py").write_text("x = 1")
    base = {"kind": kind} | ({"factory": "first/code.py:make"} if key == "weights" else {})

    def hash_of(path: str) -> str:
        return teacher_hash(spec_from_table(base | {key: text.format(path)}))

    first = hash_of("first/code.py")
    assert hash_of(str(tmp_path / "first" / "code.py")) == first
    assert hash_of("second/code.py") == first
    (tmp_path / "second" / "code.py").write_text("x = 2")
    assert hash_of("second/code.py") != first

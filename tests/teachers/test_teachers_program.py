from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from teachers_toys import darker, save_program
from torch import nn
from voices import voice

from edge_vc.teachers.loading import open_teacher
from edge_vc.teachers.program import ProgramSpec
from edge_vc.teachers.program_archive import read_archive
from edge_vc.teachers.spec import TeacherError


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    return save_program(tmp_path_factory.mktemp("program") / "darker.pt2")


def test_a_program_for_any_length_converts(program):
    audio = voice(0.7)
    output = open_teacher(ProgramSpec(path=str(program))).convert(audio)
    np.testing.assert_allclose(output, darker(audio), atol=1e-6)


def test_a_program_for_one_length_runs_in_windows(tmp_path):
    path = save_program(tmp_path / "fixed.pt2", samples=4000)
    audio = voice(0.7)
    output = open_teacher(ProgramSpec(path=str(path))).convert(audio)
    np.testing.assert_allclose(output[1:-1], darker(audio)[1:-1], atol=2e-3)


def rewrite(program: Path, target: Path, member: str, change: Callable[[bytes], bytes]) -> Path:
    """A copy whose member was changed; member names lie under the archive's own folder."""
    with zipfile.ZipFile(program) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name.endswith(member) else content)
    return target


def edit(*path: str | int, to: object) -> Callable[[bytes], bytes]:
    """Set one value of a JSON member."""

    def change(content: bytes) -> bytes:
        document = json.loads(content)
        place = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to
        return json.dumps(document).encode()

    return change


GRAPH = ("graph_module", "graph")
SIZE = (*GRAPH, "tensor_values", "audio", "sizes", 1, "as_expr", "expr_str")
RUN = "__import__('pathlib').Path('MARKER').touch()"


@pytest.mark.parametrize(
    ("member", "change", "words"),
    [
        ("model.json", edit(*SIZE, to=RUN), "as a size, which is not an expression"),
        ("model.json", edit(*SIZE, to="Symbol('s1').__class__"), "as a size"),
        ("model.json", edit(*GRAPH, "nodes", 0, "target", to="torch.load"), "calls 'torch.load'"),
        ("model.json", edit(*GRAPH, "nodes", 0, "target", to="torch.hub.load"), "calls"),
        ("model.json", edit(*GRAPH, "nodes", 0, "target", to="_operator.methodcaller"), "calls"),
        ("model.json", edit(*GRAPH, "inputs", 1, "as_tensor", "name", to=f"x=({RUN})"), "a name"),
        ("model.json", lambda content: content[:100], "no torch.export program"),
        (
            "model_weights_config.json",
            edit("config", "filter.weight", "use_pickle", to=True),
            "stored as a pickle",
        ),
        (
            "model_weights_config.json",
            edit("config", "filter.weight", "path_name", to="opaque_obj_0"),
            "stored as a pickle",
        ),
    ],
)
def test_what_could_run_code_is_refused(program, tmp_path, member, change, words, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = rewrite(program, tmp_path / "bad.pt2", member, change)
    with pytest.raises(TeacherError, match=words) as caught:
        open_teacher(ProgramSpec(path=str(path)))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "MARKER").exists()


class Payload:
    """Writes a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_example_inputs_that_hold_code_are_refused_and_not_run(program, tmp_path):
    marker, payload = tmp_path / "ran", tmp_path / "payload.pt"
    torch.save(Payload(marker), payload)
    path = rewrite(
        program, tmp_path / "bad.pt2", "sample_inputs/model.pt", lambda _: payload.read_bytes()
    )
    with pytest.raises(TeacherError, match="example inputs hold more than tensors"):
        open_teacher(ProgramSpec(path=str(path)))
    assert not marker.exists()


def test_compiled_code_in_the_archive_is_refused(program, tmp_path):
    path = tmp_path / "bad.pt2"
    path.write_bytes(program.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        root = archive.namelist()[0].partition("/")[0]
        archive.writestr(f"{root}/data/aotinductor/model/code.so", b"\x7fELF")
    with pytest.raises(TeacherError, match=r"holds data/aotinductor/model/code\.so"):
        open_teacher(ProgramSpec(path=str(path)))


def test_other_files_are_no_programs(tmp_path):
    path = tmp_path / "a.pt2"
    path.write_bytes(b"PK nothing")
    with pytest.raises(TeacherError, match=r"a\.pt2: no torch\.export program"):
        open_teacher(ProgramSpec(path=str(path)))


class TwoInputs(nn.Module):
    def forward(self, a, b):
        return a + b


def test_a_program_of_two_inputs_is_refused(tmp_path):
    example = (torch.zeros(1, 800), torch.zeros(1, 800))
    torch.export.save(torch.export.export(TwoInputs(), example), tmp_path / "two.pt2")
    with pytest.raises(TeacherError, match="takes 2 inputs"):
        open_teacher(ProgramSpec(path=str(tmp_path / "two.pt2")))


def two_directories(program: Path, target: Path) -> Path:
    """The program behind another archive, whose last directory alone `zipfile` looks at."""
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as made:
        made.writestr("evil/data/weights/weight_0", b"payload")
    target.write_bytes(other.getvalue() + program.read_bytes())
    return target


def test_a_second_archive_in_the_file_is_refused(program, tmp_path):
    path = two_directories(program, tmp_path / "two.pt2")
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) > 5, "zipfile sees the program alone"
    with pytest.raises(TeacherError, match="bytes outside of its members"):
        read_archive(path)


def test_torch_parses_only_what_was_checked(program, tmp_path, monkeypatch):
    """Even where the layout is not looked at, nothing but the checked members gets to torch."""
    monkeypatch.setattr("edge_vc.teachers.program_archive._check_layout", lambda *_: None)
    fresh = read_archive(two_directories(program, tmp_path / "two.pt2"))
    content = fresh.getvalue()
    assert b"evil" not in content
    assert b"payload" not in content
    assert zipfile.ZipFile(fresh).infolist()[0].header_offset == 0


def test_shared_cases_run_nothing(project_root, tmp_path, monkeypatch):
    cases = sorted((project_root.parent / "shared" / "cases" / "bundles").glob("*.pt2"))
    if not cases:
        pytest.skip("no ../shared/cases")
    monkeypatch.chdir(tmp_path)
    for case in cases:
        with pytest.raises(TeacherError):
            open_teacher(ProgramSpec(path=str(case)))
    assert list(tmp_path.iterdir()) == []

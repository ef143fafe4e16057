"""Teachers that are code are named before they run: once each, in every verb that opens one."""

from __future__ import annotations

from pathlib import Path

import pytest
from teachers_toys import CONVERTER, FACTORY
from typer.testing import CliRunner

from edge_vc.cli import app
from edge_vc.evaluate.systems.systems import load_systems
from edge_vc.teachers.code_notice import first_use_notice, notice_file
from edge_vc.teachers.command import CommandSpec
from edge_vc.teachers.module import ModuleSpec
from edge_vc.teachers.network_file import SHIPPED
from edge_vc.teachers.registry import teacher_kinds


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def recipe(folder: Path, kind: str) -> Path:
    (folder / "teacher.py").write_text(FACTORY if kind == "module" else CONVERTER)
    said = {
        "module": 'factory = "teacher.py:make_teacher"',
        "command": 'command = "python teacher.py {input} {output}"',
    }
    path = folder / f"{kind}.toml"
    path.write_text(f'[teacher]\nkind = "{kind}"\n{said[kind]}\n')
    return path


def test_kinds_that_are_code_say_so() -> None:
    assert {kind.name for kind in teacher_kinds().values() if kind.code} >= {"module", "command"}
    assert first_use_notice(SHIPPED) == ""
    help = CliRunner().invoke(app, ["label", "--help"]).stdout
    assert "is code that runs with your rights" in " ".join(help.split())


@pytest.mark.parametrize("kind", ["module", "command"])
def test_each_is_named_once_and_again_when_it_changed(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "teacher.py"
    file.write_text(FACTORY if kind == "module" else CONVERTER)
    spec = (
        ModuleSpec(factory=f"{file}:make_teacher")
        if kind == "module"
        else CommandSpec(command=f"python {file} {{input}} {{output}}")
    )
    said = first_use_notice(spec)
    assert str(file) in said
    assert "with your rights" in said
    assert first_use_notice(spec) == ""
    file.write_text(file.read_text() + "\n# changed\n")
    assert first_use_notice(spec) == said


def test_what_cannot_be_remembered_is_said_each_time(tmp_path: Path) -> None:
    spec = CommandSpec(command="cp {input} {output}")
    notice_file().parent.parent.mkdir(parents=True)
    notice_file().parent.write_text("in the way")
    assert first_use_notice(spec) == first_use_notice(spec) != ""
    notice_file().parent.unlink()
    notice_file().parent.mkdir()
    notice_file().write_bytes(b'{"\xff')
    assert first_use_notice(spec)
    assert first_use_notice(spec) == ""


@pytest.mark.parametrize("kind", ["module", "command"])
def test_every_verb_says_it(kind: str, tmp_path: Path, state: Path) -> None:
    path = recipe(tmp_path, kind)
    notices: list[str] = []
    load_systems(str(path), notices.append)
    assert any("is code" in line for line in notices)
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments in (
        ["label", str(empty), "--teacher", str(path), "-o", str(tmp_path / "out")],
        ["compress", str(path), "--corpus", str(empty), "--run", str(tmp_path / "run")],
    ):
        (state / "edge-vc" / "teachers.json").unlink()
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 2
        assert f"note: this {kind} teacher is code" in done.stderr.splitlines()[0]
        assert "is code" not in CliRunner().invoke(app, arguments).stderr

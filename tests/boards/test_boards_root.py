"""The root is whole or absent, whatever happens while it is made."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_vc.cli import app
from edge_vc_boards.emulation import debian, root_content
from edge_vc_boards.emulation import root as arm64_root
from edge_vc_boards.emulation.error import EmulationError, UnavailableError
from edge_vc_boards.emulation.root import default_root, is_made, make_root
from edge_vc_boards.emulation.run import run_on
from edge_vc_boards.profile_folder import load_board


@pytest.fixture
def fills(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every place that was filled; filling writes one file."""
    filled: list[Path] = []

    def fill(root: Path, scratch: Path, say: object) -> None:
        assert scratch.is_dir()
        filled.append(root)
        (root / "old").touch()

    monkeypatch.setattr(arm64_root, "fill_root", fill)
    monkeypatch.setattr(arm64_root, "check_host", lambda: None)
    return filled


def test_it_is_made_once(fills: list[Path], tmp_path: Path) -> None:
    root = tmp_path / "cache" / "root"
    assert not is_made(root)
    assert make_root(root)
    assert not make_root(root)
    assert is_made(root)
    assert len(fills) == 1
    assert sorted(path.name for path in root.parent.iterdir()) == [".root.lock", "root"]


def test_a_root_of_another_recipe_is_replaced(
    fills: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_root(tmp_path / "root")
    (tmp_path / "root" / "left").touch()
    monkeypatch.setattr(root_content, "GUEST_PACKAGES", ("python9",))
    assert not is_made(tmp_path / "root")
    assert make_root(tmp_path / "root")
    assert not (tmp_path / "root" / "left").exists()
    assert len(fills) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, EmulationError], ids=lambda e: e.__name__)
def test_what_fails_leaves_nothing_but_its_downloads(
    error: type[BaseException], fills: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(root: Path, scratch: Path, say: object) -> None:
        (scratch / "half.deb").touch()
        (root / "half").touch()
        raise error("stop")

    def resume(root: Path, scratch: Path, say: object) -> None:
        assert [path.name for path in scratch.iterdir()] == ["half.deb"]

    monkeypatch.setattr(arm64_root, "fill_root", fail)
    with pytest.raises(error):
        make_root(tmp_path / "root")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".root.downloads", ".root.lock"]
    monkeypatch.setattr(arm64_root, "fill_root", resume)
    assert make_root(tmp_path / "root")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".root.lock", "root"]


def test_what_a_killed_call_left_is_swept(fills: list[Path], tmp_path: Path) -> None:
    for name in (".root.new-a", ".root.old-b", ".root.old-c", ".other.new-d"):
        (tmp_path / name / "inner").mkdir(parents=True)
    make_root(tmp_path / "root")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".other.new-d", ".root.lock", "root",
    ]  # fmt: skip


def test_a_folder_of_somebody_else_is_not_touched(fills: list[Path], tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "thesis.txt").touch()
    with pytest.raises(EmulationError, match="holds something else"):
        make_root(tmp_path / "root")
    assert not fills


def test_without_rights_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(arm64_root, "_namespaces", lambda: False)
    refused = CliRunner().invoke(app, ["emulate", "setup", "--root", str(tmp_path / "root")])
    assert refused.exit_code == 2
    assert refused.stderr == (
        "edge-vc emulate setup: error: emulating a board needs user namespaces, which are off "
        "here, or root rights: use sudo\n"
    )


def test_a_board_that_cannot_be_emulated_is_refused_before_anything_is_made(
    fills: list[Path], tmp_path: Path
) -> None:
    words = ["emulate", "setup", "--root", str(tmp_path / "root"), "--board", "x86-64"]
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 2
    assert "x86-64 describes no processor that could be emulated" in refused.stderr
    assert not fills


def test_another_processor_or_a_missing_tool_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(UnavailableError, match="Linux x86_64, this is Linux riscv64"):
        make_root(tmp_path / "root")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="sudo apt install apt dpkg gcc libc6-dev"):
        make_root(tmp_path / "root")


def test_running_without_a_root_names_the_command(
    fills: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("edge_vc_boards.emulation.run.check_host", lambda: None)
    root = ["--root", str(tmp_path / "none")]
    refused = CliRunner().invoke(app, ["emulate", "run", *root, "pi4", "--", "true"])
    assert refused.exit_code == 2
    assert "no emulated root; make it: edge-vc emulate setup" in refused.stderr
    refused = CliRunner().invoke(app, ["emulate", "run", *root, "pi44", "--", "true"])
    assert refused.exit_code == 2
    assert "edge-vc emulate run: error: no board 'pi44'" in refused.stderr
    make_root(tmp_path / "root")
    with pytest.raises(EmulationError, match="nonsense: not in the emulated root"):
        run_on(load_board("pi4"), ["nonsense"], root=tmp_path / "root")


def test_a_mirror_that_fails_is_a_reason_to_skip(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 100, "", "W: slow\nE: Unable to connect\n")

    monkeypatch.setattr(debian.subprocess, "run", refuse)
    with pytest.raises(UnavailableError, match=r"apt-get: E: Unable to connect \(the emulated"):
        debian.fetch_packages(["python3"], "arm64", tmp_path)


def test_the_root_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVC_ARM64_ROOT", "/srv/arm64")
    assert default_root() == Path("/srv/arm64")
    monkeypatch.delenv("EVC_ARM64_ROOT")
    monkeypatch.setenv("HOME", "/home/me")
    assert default_root() == Path("/home/me/.cache/edge-vc/arm64-root")

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edge_vc_boards import fetch
from edge_vc_boards.board import BoardError
from edge_vc_boards.profile_folder import load_board
from edge_vc_boards.requirements import wheel_set


def test_wheels_are_fetched_for_the_board_and_not_for_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[list[str]] = []

    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        called.append(command)
        (tmp_path / "pi4" / "numpy-2-cp311-none-any.whl").touch()
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(fetch.subprocess, "run", pip)
    wheels = wheel_set(load_board("pi4"))
    (path,) = fetch.fetch_wheels(wheels, tmp_path / "pi4")
    assert path.name.startswith("numpy")
    (command,) = called
    assert set(wheels.pip_options()) <= set(command)
    assert "--platform=manylinux_2_28_aarch64" in command
    assert "numpy==" in (tmp_path / "pi4" / fetch.REQUIREMENTS).read_text()


def test_pips_reason_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "WARNING: old\nERROR: No matching distribution found for edge-vc-runtime==0.1.0\n"
    failed = subprocess.CompletedProcess([], 1, "", said)
    monkeypatch.setattr(fetch.subprocess, "run", lambda *a, **k: failed)
    with pytest.raises(BoardError, match="pi4 could not be fetched: ERROR: No matching") as error:
        fetch.fetch_wheels(wheel_set(load_board("pi4")), tmp_path)
    assert "\n" not in str(error.value)

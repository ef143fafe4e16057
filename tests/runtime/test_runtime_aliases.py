"""An output that is an input under another name is refused before anything is opened."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_vc.assets import bundle_path
from edge_vc_runtime.aliases import refuse_aliases
from edge_vc_runtime.cli import main
from edge_vc_runtime.errors import UsageError


def other_names(path: Path) -> dict[str, Path]:
    folder = path.parent
    (folder / "soft").symlink_to(path.name)
    os.link(path, folder / "hard")
    (folder / "twice").symlink_to("soft")
    (folder / "inside").mkdir()
    (folder / "away").symlink_to(".")
    return {
        "itself": path,
        "with dots": folder / "inside" / ".." / path.name,
        "a link": folder / "soft",
        "a link to a link": folder / "twice",
        "a hard link": folder / "hard",
        "through a linked folder": folder / "away" / path.name,
    }


NAMES = (
    "itself",
    "with dots",
    "a link",
    "a link to a link",
    "a hard link",
    "through a linked folder",
)


@pytest.mark.parametrize("name", NAMES)
def test_run_keeps_its_recording(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.full(1600, 0.1), 16000)
    before = path.read_bytes()
    alias = other_names(path)[name]
    assert main(["run", str(bundle_path("kathleen-nano")), str(path), str(alias)]) == 2
    assert "is an input" in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize("flag", ["--json", "--png"])
@pytest.mark.parametrize("verb", ["profile", "report"])
def test_other_verbs_keep_what_they_read(
    tmp_path: Path, verb: str, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "given"
    path.write_bytes(b"{}")
    for alias in other_names(path).values():
        assert main([verb, str(path), flag, str(alias)]) == 2
        assert "is an input" in capsys.readouterr().err
    assert path.read_bytes() == b"{}"


def test_standard_output_takes_one_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(bundle_path("kathleen-nano")), "--record", "-", "--report", "-"]) == 2
    told = "stdout is given for --record and --report; write all but one to files"
    assert told in capsys.readouterr().err


def test_two_outputs_need_two_files(tmp_path: Path) -> None:
    refuse_aliases([tmp_path / "a", tmp_path / "b", None, "-"], ["-", None])
    with pytest.raises(UsageError, match="two outputs"):
        refuse_aliases([tmp_path / "a", tmp_path / "x" / ".." / "a"])
    with pytest.raises(UsageError, match="two outputs"):
        refuse_aliases([tmp_path / "loop\0", tmp_path / "loop\0"])

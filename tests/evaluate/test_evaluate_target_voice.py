"""The stored voice of a target: what it cannot be made of is said in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_host_verbs import invoke

pytest.importorskip("resemblyzer")


def test_a_corpus_without_a_target_says_how(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(16000, np.float32), 16000)
    done = invoke("target-voice", str(tmp_path), "-o", str(tmp_path / "out.json"))
    assert done.exit_code == 2
    assert "no recording has the role target; put the target's into a folder" in done.stderr
    assert not (tmp_path / "out.json").exists()


def test_silence_is_no_voice(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    soundfile.write(tmp_path / "target" / "a.wav", np.zeros(32000, np.float32), 16000)
    done = invoke("target-voice", str(tmp_path), "-o", str(tmp_path / "out.json"))
    assert done.exit_code == 2
    assert "no speech was found in the recordings" in done.stderr
    assert "cannot go on" not in done.stderr

"""Subtitles by PocketSphinx of a recorded sentence, in the tap's own process."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_vc_runtime.taps.kind import TapSettings
from edge_vc_runtime.taps.options import TapChoice
from edge_vc_runtime.taps.process import TapProcess

RATE = 16000
SENTENCE = "eval/cmu_arctic/aew/arctic_a0003.flac"
SAID = {"for", "the", "twentieth", "time", "that", "evening", "two", "men", "shook", "hands"}


@pytest.mark.slow
@pytest.mark.corpus
def test_words_are_heard(tmp_path: Path, project_root: Path) -> None:
    pytest.importorskip("pocketsphinx")
    recording = project_root.parent / "shared" / "corpus" / SENTENCE
    if not recording.is_file():
        pytest.skip(f"no speech corpus at {recording}")
    place = tmp_path / "said.srt"
    spoken, rate = soundfile.read(recording, dtype="float32")
    assert rate == RATE
    audio = np.concatenate([np.zeros(RATE, np.float32), spoken, np.zeros(RATE, np.float32)])
    process = TapProcess(TapChoice("words", str(place)), TapSettings(RATE, "pocketsphinx"), print)
    for start in range(0, len(audio) - 160, 160):
        process.tap.push(audio[start : start + 160])
    process.close()
    deadline = time.monotonic() + 60
    while not (place.exists() and place.read_text().endswith("\n\n")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    text = place.read_text()
    assert text.startswith("1\n00:00:0")
    assert len(SAID & set(text.split())) >= 7

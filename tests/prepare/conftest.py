"""Recordings to prepare: synthetic speech in a folder per speaker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_vc.data.synthetic.synthetic import SAMPLE_RATE, synthesize_corpus

RATE = 16000
assert SAMPLE_RATE == RATE


@pytest.fixture(scope="session")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> list[np.ndarray]:
    """A dozen sentences by different synthetic voices, ``[T]`` at 16 kHz."""
    corpus = synthesize_corpus(tmp_path_factory.mktemp("voices") / "corpus", 0.6, seed=5)
    return [utterance.read(RATE) for utterance in corpus][:12]


@pytest.fixture
def recordings(tmp_path: Path, sentences: list[np.ndarray]) -> Path:
    """Four speakers with two sentences each, as WAV."""
    folder = tmp_path / "recordings"
    for number, sentence in enumerate(sentences[:8]):
        path = folder / f"speaker{number // 2}" / f"take{number % 2}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, sentence, RATE)
    return folder

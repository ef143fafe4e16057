from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from edge_vc.audio.io import AudioError
from edge_vc.data.corpus import Corpus
from edge_vc.labelling.labels import label_audio, label_corpus

Audio = NDArray[np.float32]


@dataclass
class Halver:
    """Converts by halving; counts how often it was asked."""

    sample_rate: int = 16000
    calls: int = 0

    def convert(self, audio: Audio) -> Audio:
        self.calls += 1
        return audio / 2


class Shortener(Halver):
    def convert(self, audio: Audio) -> Audio:
        return audio[:-1]


class Breaker(Halver):
    def convert(self, audio: Audio) -> Audio:
        return np.full_like(audio, np.nan)


def voice(seconds: float = 1.0) -> Audio:
    time = np.arange(int(16000 * seconds)) / 16000
    return (0.1 * sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 9))).astype("f4")


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    for index in range(2):
        soundfile.write(tmp_path / f"{index}.wav", voice(1.0 + index / 10), 16000)
    return Corpus.open(tmp_path)


def test_any_converter_can_label() -> None:
    labels = label_audio(Halver(), voice()[:16050])
    assert labels.source.shape == labels.target.shape == (16000,)
    assert labels.f0.shape == (100,)
    assert labels.bands.shape == (0, 100)
    np.testing.assert_allclose(labels.target, labels.source / 2, atol=1)
    assert np.median(labels.f0[labels.f0 > 0]) == pytest.approx(120, rel=0.03)


@pytest.mark.parametrize(
    ("teacher", "fact"), [(Shortener(), "15999"), (Breaker(), "NaN")], ids=["length", "nan"]
)
def test_bad_answers_are_named(teacher: Halver, fact: str) -> None:
    with pytest.raises(AudioError, match=fact):
        label_audio(teacher, voice())


def test_labels_are_kept(corpus: Corpus, tmp_path: Path) -> None:
    teacher = Halver()
    for _ in range(2):
        labels = label_corpus(teacher, list(corpus), tmp_path / "cache", teacher_hash="a")
    assert teacher.calls == len(labels) == 2
    label_corpus(teacher, list(corpus), tmp_path / "cache", teacher_hash="b")
    assert teacher.calls == 4


def test_speed_makes_another_speaker(corpus: Corpus, tmp_path: Path) -> None:
    slow, plain = label_corpus(
        Halver(), list(corpus)[:1], tmp_path / "cache", teacher_hash="a", speeds=(0.8, 1.0)
    )
    # Played slower: longer, and lower in pitch by as much.
    assert len(slow.source) == pytest.approx(len(plain.source) / 0.8, abs=160)
    assert np.median(slow.f0[slow.f0 > 0]) == pytest.approx(0.8 * 120, rel=0.03)

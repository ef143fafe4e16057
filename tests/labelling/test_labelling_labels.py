"""Labels of any converter, made once, checked and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from edge_vc.audio.io import AudioError
from edge_vc.data.corpus import Corpus
from edge_vc.labelling.job import label_here
from edge_vc.labelling.label import Alignment, label_recording
from edge_vc.labelling.labels import LabelledAudio
from edge_vc.teachers.module import ModuleSpec
from edge_vc.teachers.outliers import OutlierError

Audio = NDArray[np.float32]
CODE = """
import torch

class Halver(torch.nn.Module):
    def forward(self, audio):
        with open({log!r}, "a") as log:
            log.write("asked ")
        return audio / 2 * (0 if audio.shape[-1] < {shortest} else 1)
"""


@dataclass
class Converter:
    """A teacher that applies a function."""

    convert: Callable[[Audio], Audio]
    sample_rate: int = field(default=16000)


def voice(seconds: float = 1.0) -> Audio:
    time = np.arange(int(16000 * seconds)) / 16000
    return (0.1 * sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 9))).astype("f4")


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    (tmp_path / "in").mkdir()
    for index in range(2):
        soundfile.write(tmp_path / "in" / f"{index}.wav", voice(1.0 + index / 10), 16000)
    return Corpus.open(tmp_path / "in")


def halver(folder: Path, shortest: int = 0) -> ModuleSpec:
    path = folder / f"halver{shortest}.py"
    path.write_text(CODE.format(log=str(folder / "log"), shortest=shortest))
    return ModuleSpec(factory=f"{path}:Halver")


def calls(folder: Path) -> int:
    """How often the teacher was asked since the last time."""
    log = folder / "log"
    count = len(log.read_text().split()) if log.exists() else 0
    log.unlink(missing_ok=True)
    return count


def test_any_converter_can_label() -> None:
    labels = label_recording(Converter(lambda a: a / 2), voice()[:16050], Alignment()).labels
    assert labels.source.shape == labels.target.shape == (16000,)
    assert labels.f0.shape == (100,)
    assert labels.bands.shape == (0, 100)
    np.testing.assert_allclose(labels.target, labels.source / 2, atol=1)
    assert np.median(labels.f0[labels.f0 > 0]) == pytest.approx(120, rel=0.03)


@pytest.mark.parametrize(
    ("convert", "fact"),
    [(lambda a: a[:-1], "15999"), (lambda a: np.full_like(a, np.nan), "not a number")],
    ids=["length", "nan"],
)
def test_bad_outputs_are_named(convert: Callable[[Audio], Audio], fact: str) -> None:
    with pytest.raises(OutlierError, match=fact):
        label_recording(Converter(convert), voice(), Alignment())


def test_labels_are_kept(corpus: Corpus, tmp_path: Path) -> None:
    recordings = [(utterance, 1.0) for utterance in corpus]
    first = label_here(halver(tmp_path), recordings, tmp_path / "a")
    assert calls(tmp_path) == 2 * len(first) == 4  # once for the delay, once for the labels
    again = label_here(halver(tmp_path), recordings, tmp_path / "a")
    assert calls(tmp_path) == 0
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.target, other.target)
    label_here(halver(tmp_path, 1), recordings, tmp_path / "b")
    assert calls(tmp_path) == 4


def test_bad_outputs_are_left_out(corpus: Corpus, tmp_path: Path) -> None:
    """Nothing is learnt from an output that a label job would leave out."""
    recordings = [(utterance, 1.0) for utterance in corpus]
    (labels,) = label_here(halver(tmp_path, 17000), recordings, tmp_path / "a")
    assert len(labels.source) == 17600
    assert "silent" in (tmp_path / "a" / "report.md").read_text()


def test_a_recording_without_samples_is_an_error() -> None:
    with pytest.raises(AudioError, match="less than one hop"):
        label_recording(Converter(lambda a: a), voice()[:100], Alignment())


def test_speed_makes_another_speaker(corpus: Corpus, tmp_path: Path) -> None:
    utterance = corpus.utterances[0]
    slow, plain = label_here(halver(tmp_path), [(utterance, 0.8), (utterance, 1.0)], tmp_path / "a")
    # Played slower: longer, and lower in pitch by as much.
    assert len(slow.source) == pytest.approx(len(plain.source) / 0.8, abs=160)
    assert np.median(slow.f0[slow.f0 > 0]) == pytest.approx(0.8 * 120, rel=0.03)


def gliding(frames: int = 60) -> LabelledAudio:
    """Labels in frames of 160 samples whose F0 and bands rise evenly."""
    f0 = np.linspace(100, 159, frames, dtype=np.float32)
    f0[:10] = 0
    magnitude = np.linspace(-3, -1, frames, dtype=np.float32)
    phase = np.where(np.arange(frames) % 2, 3.0, -3.0)
    bands = np.stack([magnitude, phase, magnitude]).astype(np.float16)
    audio = np.arange(frames * 160, dtype=np.int16)
    return LabelledAudio(audio, audio, f0, bands)


@pytest.mark.parametrize("hop", [40, 80, 320])
def test_labels_move_to_another_hop(hop: int) -> None:
    given = gliding()
    moved = given.at_hop(hop)

    frames = 60 * 160 // hop
    assert moved.hop == hop
    assert moved.f0.shape == (frames,)
    assert moved.bands.shape == (3, frames)
    assert np.array_equal(moved.source, given.source)
    middle = (np.arange(frames) + 0.5) * hop / 160 - 0.5
    inner = (middle > 11) & (middle < 58)
    np.testing.assert_allclose(moved.f0[inner], 100 + middle[inner], rtol=1e-4)
    np.testing.assert_allclose(moved.bands[0, inner], -3 + middle[inner] * 2 / 59, atol=2e-3)
    assert set(np.abs(moved.bands[1]).tolist()) == {3.0}
    assert np.mean(moved.f0 == 0) == pytest.approx(10 / 60, abs=1.5 / frames)


def test_labels_at_their_own_hop_are_left_as_they_are() -> None:
    given = gliding()
    assert given.at_hop(160) is given


def test_a_recording_without_voice_stays_unvoiced_and_odd_samples_are_cut() -> None:
    given = gliding()
    silent = LabelledAudio(given.source, given.target, 0 * given.f0, given.bands[:0])
    moved = silent.at_hop(441)

    assert len(moved.source) == 21 * 441
    assert moved.bands.shape == (0, 21)
    assert not moved.f0.any()

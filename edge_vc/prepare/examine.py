"""First pass over a recording: voice activity, clipping, content hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.clipping import clipped
from edge_vc.audio.io import Samples
from edge_vc.audio.stream import AudioFile, resampled
from edge_vc.audio.voice_activity import FRAME, Probabilities, SpeechDetector
from edge_vc.prepare.settings import SAMPLE_RATE

Step = Callable[[float], None]
"""Called with the seconds of audio processed."""


@dataclass(frozen=True)
class Examination:
    """Result of the first pass; a frame is `FRAME` samples at `SAMPLE_RATE`."""

    length: int
    """Samples at `SAMPLE_RATE`."""
    content: str
    """sha256 of the decoded samples and their rate."""
    probabilities: Probabilities
    """Speech probabilities, ``[frames]``."""
    clipped: NDArray[np.float32]
    """Share of clipped samples, ``[frames]``."""


def examine(path: Path, detector: SpeechDetector, step: Step) -> Examination:
    """Read a recording once, block by block; raises `AudioError` like `AudioFile`."""
    detector.reset()
    length, probabilities = 0, []
    with AudioFile(path) as file:
        tap = _Tap(file)
        for block in resampled(tap.through(file.blocks(), step), file.sample_rate, SAMPLE_RATE):
            length += block.shape[0]
            probabilities.append(detector.push(block))
    probabilities.append(detector.finish())
    speech = np.concatenate(probabilities)
    return Examination(length, tap.content, speech, tap.clipped(speech.shape[0]))


class _Tap:
    """Hashes and checks the recording at its own rate before it is resampled."""

    def __init__(self, file: AudioFile) -> None:
        self._file = file
        self._rate = file.sample_rate
        self._hash = hashlib.sha256(f"{self._rate}:".encode())
        self._counts: list[NDArray[np.int64]] = []
        self._seen = 0

    def through(self, blocks: Iterator[NDArray[np.float32]], step: Step) -> Iterator[Samples]:
        for block in blocks:
            self._hash.update(np.ascontiguousarray(block).tobytes())
            self._count(np.flatnonzero(clipped(block)) + self._seen)
            self._seen += block.shape[0]
            step(block.shape[0] / self._rate)
            yield self._file.mono(block)

    def _count(self, places: NDArray[np.intp]) -> None:
        frames = places * SAMPLE_RATE // (self._rate * FRAME)
        self._counts.append(frames)

    @property
    def content(self) -> str:
        return self._hash.hexdigest()

    def clipped(self, frames: int) -> NDArray[np.float32]:
        places = np.minimum(np.concatenate(self._counts), max(0, frames - 1))
        counts = np.bincount(places, minlength=frames)[:frames]
        share: NDArray[np.float32] = (counts * SAMPLE_RATE / (self._rate * FRAME)).astype(
            np.float32
        )
        return share

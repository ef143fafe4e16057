"""A recording that is mixed with the converted voice, in sync with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.audio.file_source import FileSource
from edge_vc_runtime.audio.resampler import Resampler
from edge_vc_runtime.chain.error import ChainError
from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.chain.ramp import GainRamp, db_to_gain
from edge_vc_runtime.samples import Samples

LONGEST_S = 1800
"""Longer tracks are rejected: they are held in memory, 2 bytes per sample."""


class BackingTrack:
    """Mixes a recording into the output.

    The track begins ``offset_ms`` after the input's first sample (negative: its beginning is cut).
    It is output together with the voice of the same input time, regardless of the delay of the
    model and the stages: what is sung on the beat is output on the beat.
    """

    def __init__(
        self,
        samples: NDArray[np.int16],
        sample_rate: int,
        hop: int,
        offset_ms: float,
        notice: str | None = None,
    ) -> None:
        """``samples`` is the track ``[T]`` at the chain's rate."""
        self.notice = notice
        """Anything unusual about how it was read; one line."""
        self.seconds = samples.shape[0] / sample_rate
        """Duration of the track."""
        self._samples = samples
        self._first = -round(offset_ms / 1000 * sample_rate)
        self._place = self._first
        self._ramp = GainRamp(hop, sample_rate, 0.0)
        self._hop = hop
        self._piece = np.zeros(hop, np.float32)

    @classmethod
    def load(cls, path: Path, sample_rate: int, hop: int, offset_ms: float = 0.0) -> BackingTrack:
        """Read a file of any rate; raises `ChainError` or `AudioIOError`."""
        source = FileSource(path)
        try:
            resampler = Resampler(source.sample_rate, sample_rate)
            blocks = _limited(source, path)
            parts = [_to_int16(resampler.push(block)) for block in blocks]
            parts.append(_to_int16(resampler.finish()))
        finally:
            source.close()
        return cls(np.concatenate(parts), sample_rate, hop, offset_ms, source.notice)

    def add(self, audio: Samples, delay: int, parameters: Parameters, out: Samples) -> Samples:
        """Add the next hop to ``[hop]``, whose voice is ``delay`` samples old."""
        self._read(self._place - delay)
        self._place += self._hop
        gain = db_to_gain(parameters["backing_gain"])
        piece = self._ramp.apply(self._piece, gain, self._piece)
        return np.add(audio, piece, out=out)

    def _read(self, start: int) -> None:
        end = start + self._hop
        first, last = max(start, 0), min(end, self._samples.shape[0])
        self._piece.fill(0.0)
        if first < last:
            np.multiply(
                self._samples[first:last],
                np.float32(1 / 32768),
                out=self._piece[first - start : last - start],
            )

    def reset(self) -> None:
        """Rewind to the beginning."""
        self._place = self._first
        self._ramp.reset()


def _limited(source: FileSource, path: Path) -> Iterator[Samples]:
    """Yield a track's blocks; raises `ChainError` if it is too long, regardless of its header."""
    most, frames = LONGEST_S * source.sample_rate, 0
    for block in source.blocks():
        frames += block.shape[0]
        if frames > most:
            raise ChainError(
                f"{path}: is too long for a backing track; at most {LONGEST_S} s: cut it"
            )
        yield block


def _to_int16(samples: Samples) -> NDArray[np.int16]:
    return np.rint(np.clip(samples, -1.0, 32767 / 32768) * 32768).astype(np.int16)

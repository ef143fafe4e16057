"""Recordings of any length with random access: only the requested part is in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import AudioError, Samples, open_audio, read_blocks
from edge_vc.audio.stream import resampled
from edge_vc_runtime.audio.file_source import look_for_cancelling

BLOCK = 1 << 16
"""Samples read at once."""


class LongAudio(Protocol):
    """Mono audio of ``length`` samples."""

    @property
    def length(self) -> int:
        """Samples in all."""
        ...

    def read(self, start: int, stop: int) -> Samples:
        """Return ``[stop - start]`` samples; both positions are within the recording."""
        ...


class ArrayAudio:
    """A recording in memory."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    @property
    def length(self) -> int:
        """Samples in all."""
        return len(self._samples)

    def read(self, start: int, stop: int) -> Samples:
        """Return ``[stop - start]`` samples."""
        return self._samples[start:stop]


class LevelledAudio:
    """Another recording with a gain applied, truncated or zero-padded to a ``length``."""

    def __init__(self, audio: LongAudio, gain: float, length: int) -> None:
        self._audio, self._gain, self.length = audio, np.float32(gain), length

    def read(self, start: int, stop: int) -> Samples:
        """Return ``[stop - start]`` samples."""
        heard = self._audio.read(min(start, self._audio.length), min(stop, self._audio.length))
        levelled = (heard * self._gain).astype(np.float32)
        return np.pad(levelled, (0, stop - start - len(levelled)))


class SpooledAudio:
    """A recording in an unnamed temporary file, as float32; a context manager.

    A killed process leaves no file behind.
    """

    def __init__(self, blocks: Iterable[Samples], folder: Path) -> None:
        """Write a stream of mono blocks to the file system of ``folder``."""
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 closed by `close`
        self.length = 0
        try:
            for block in blocks:
                self._file.write(np.ascontiguousarray(block, np.float32).tobytes())
                self.length += len(block)
            self._file.flush()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> SpooledAudio:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the disk space."""
        self._file.close()

    def read(self, start: int, stop: int) -> Samples:
        """Return ``[stop - start]`` samples."""
        self._file.seek(4 * start)
        return np.frombuffer(self._file.read(4 * (stop - start)), np.float32)


@dataclass(frozen=True)
class AudioWindow:
    """A part of a recording with its context; positions in samples."""

    low: int
    start: int
    stop: int
    high: int

    @property
    def inner(self) -> slice:
        """Position of the part within the samples that are read."""
        return slice(self.start - self.low, self.stop - self.low)


def windows(length: int, size: int, context: int) -> Iterator[AudioWindow]:
    """Yield the parts of a recording, ``size`` samples each, with ``context`` on both sides."""
    for start in range(0, length, size):
        stop = min(length, start + size)
        yield AudioWindow(max(0, start - context), start, stop, min(length, stop + context))


def audio_blocks(audio: LongAudio) -> Iterator[Samples]:
    """Yield a recording in blocks from beginning to end."""
    for start in range(0, audio.length, BLOCK):
        yield audio.read(start, min(audio.length, start + BLOCK))


def file_length(path: Path) -> tuple[int, int]:
    """Return a file's number of samples, counted by reading, and its rate in Hz.

    Raises `AudioError`.
    """
    with closing(open_audio(path)) as reader:
        return sum(len(block) for block in read_blocks(reader, BLOCK)), reader.sample_rate


def longer_than(path: Path, seconds: float) -> bool:
    """Return whether a file is longer, reading only as far as needed; False if unreadable."""
    try:
        with closing(open_audio(path)) as reader:
            left = seconds * reader.sample_rate
            return any((left := left - len(block)) < 0 for block in read_blocks(reader, BLOCK))
    except AudioError:
        return False


def file_blocks(path: Path, sample_rate: int, speed: float = 1.0) -> Iterator[Samples]:
    """Yield a file as mono at ``sample_rate`` Hz, played ``speed`` times as fast.

    Raises `AudioError` as `read_audio` does.
    """
    with closing(open_audio(path)) as reader:
        downmix = look_for_cancelling(path, reader.channels)
        finite = _finite(read_blocks(reader, BLOCK), path)
        blocks = resampled(map(downmix.mix, finite), reader.sample_rate, sample_rate)
        yield from resampled(blocks, round(sample_rate * speed), sample_rate)


def _finite(blocks: Iterable[NDArray[np.float32]], path: Path) -> Iterator[NDArray[np.float32]]:
    done = 0
    for block in blocks:
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            bad = done + int(np.argmin(finite))
            raise AudioError(f"{path}: sample {bad} is NaN or infinite; export the file again")
        done += len(block)
        yield block

"""Recordings of any length, block by block: memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from edge_vc.audio.io import AudioError, Samples, unreadable
from edge_vc.audio.resample import StreamResampler
from edge_vc.audio.span import Span

BLOCK_SECONDS = 10.0
"""What is read at once: 4 MB of stereo at 48 kHz."""

_CUT_SHORT_SECONDS = 0.1


class _FrontToBack(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A file that is only read on.

    soundfile seeks to where it is after every read; in MP3, libsndfile then loses its place and
    the rest comes late, or not at all.
    """

    def seekable(self) -> bool:
        return False


class AudioFile:
    """An opened audio file, read front to back; a context manager."""

    def __init__(self, path: str | Path) -> None:
        """Open the file; raises `AudioError` when it is missing, empty or no audio."""
        self.path = Path(path)
        if not self.path.is_file():
            raise AudioError(f"{self.path}: no such file")
        if not self.path.stat().st_size:
            raise AudioError(f"{self.path}: the file is empty, 0 bytes")
        try:
            self._file = _FrontToBack(self.path)
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{self.path}: {unreadable(error)}") from error

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def sample_rate(self) -> int:
        """The file's own rate in Hz."""
        return int(self._file.samplerate)

    @property
    def seconds(self) -> float:
        """Duration as the header states it."""
        return float(self._file.frames / self._file.samplerate)

    def blocks(self, seconds: float = BLOCK_SECONDS) -> Iterator[NDArray[np.float32]]:
        """Yield all channels ``[T, channels]`` at the file's own rate.

        Raises `AudioError` for NaN, infinity, no samples at all and for a file that ends, or
        cannot be decoded any further, before its header says.
        """
        size = max(1, round(seconds * self.sample_rate))
        done = 0
        while (block := self._read(size, done)).shape[0]:
            finite = np.isfinite(block).all(axis=1)
            if not finite.all():
                bad = done + int(np.argmin(finite))
                raise AudioError(f"{self.path}: sample {bad} is NaN or infinite; export it again")
            done += block.shape[0]
            yield block
        if not done:
            raise AudioError(f"{self.path}: holds no samples; give a recording that is not empty")
        # What an MP3 says of its length may be a guess.
        missing = self.seconds - done / self.sample_rate
        if missing > _CUT_SHORT_SECONDS and self._file.format != "MP3":
            raise AudioError(f"{self.path}: {self._cut_short(done)}")

    def _read(self, size: int, done: int) -> NDArray[np.float32]:
        try:
            block: NDArray[np.float32] = self._file.read(size, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{self.path}: {self._cut_short(done)}; {error}") from error
        return block

    def _cut_short(self, done: int) -> str:
        seconds = done / self.sample_rate
        return f"ends after {seconds:.1f} of {self.seconds:.1f} s; copy or export it again"


def mono(block: NDArray[np.float32]) -> Samples:
    """Return the average ``[T]`` of all channels ``[T, channels]``."""
    return block.mean(axis=1, dtype=np.float32) if block.shape[1] > 1 else block[:, 0]


def resampled(blocks: Iterable[Samples], from_rate: int, to_rate: int) -> Iterator[Samples]:
    """Yield a mono stream at another rate in Hz; its length is ``ceil(T * to / from)``."""
    if from_rate == to_rate:
        yield from blocks
        return
    stream = StreamResampler(from_rate, to_rate)
    for block in blocks:
        yield stream.push(block)
    yield stream.finish()


def stream_audio(path: str | Path, sample_rate: int) -> Iterator[Samples]:
    """Yield a file as mono ``[T]`` blocks at ``sample_rate`` Hz; raises like `AudioFile`."""
    with AudioFile(path) as file:
        yield from resampled(map(mono, file.blocks()), file.sample_rate, sample_rate)


def cut(blocks: Iterable[Samples], spans: Iterable[Span]) -> Iterator[Samples]:
    """Yield the samples of each span of a stream; no more than a span and a block is held.

    Spans are in order of their start and may overlap; samples beyond the end are omitted.
    """
    stream = iter(blocks)
    held, first = np.zeros(0, np.float32), 0
    for span in spans:
        while first + held.shape[0] < span.stop and (block := next(stream, None)) is not None:
            # What comes before this span is not asked for again.
            gone = min(max(0, span.start - first), held.shape[0])
            held, first = np.concatenate([held[gone:], block]), first + gone
        yield held[max(0, span.start - first) : max(0, span.stop - first)].copy()

"""Read recordings of any length block by block: memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import AudioError, Samples, open_audio, read_blocks, seconds_of
from edge_vc.audio.resample import StreamResampler
from edge_vc.audio.span import Span
from edge_vc_runtime.audio.file_source import look_for_cancelling

BLOCK_SECONDS = 10.0
"""Block length: 4 MB of stereo at 48 kHz."""

_CUT_SHORT_SECONDS = 0.1


class AudioFile:
    """An opened audio file, read front to back; a context manager."""

    def __init__(self, path: str | Path) -> None:
        """Open the file; raises `AudioError` if it is missing, empty or not audio."""
        self.path = Path(path)
        if not self.path.is_file():
            raise AudioError(f"{self.path}: no such file")
        if not self.path.stat().st_size:
            raise AudioError(f"{self.path}: the file is empty, 0 bytes")
        self._file = open_audio(self.path)
        self._downmix = look_for_cancelling(self.path, self._file.channels)

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def sample_rate(self) -> int:
        """The file's own rate in Hz."""
        return self._file.sample_rate

    @cached_property
    def seconds(self) -> float:
        """Duration from the header, or counted if the header does not state it."""
        return seconds_of(self.path)

    def mono(self, block: NDArray[np.float32]) -> Samples:
        """Return ``[T]`` mixed from all channels ``[T, channels]``: their mean, see `Downmix`."""
        return self._downmix.mix(block)

    def blocks(self, seconds: float = BLOCK_SECONDS) -> Iterator[NDArray[np.float32]]:
        """Yield all channels ``[T, channels]`` at the file's own rate.

        Raises `AudioError` for NaN, infinity, no samples at all and for a file that ends, or
        fails to decode, before the length stated in its header.
        """
        size = max(1, round(seconds * self.sample_rate))
        done = 0
        for block in self._read(size):
            finite = np.isfinite(block).all(axis=1)
            if not finite.all():
                bad = done + int(np.argmin(finite))
                raise AudioError(f"{self.path}: sample {bad} is NaN or infinite; export it again")
            done += block.shape[0]
            yield block
        if not done:
            raise AudioError(f"{self.path}: holds no samples; give a recording that is not empty")
        # The length in an MP3's header may be an estimate.
        guessed = self.path.suffix.lower() == ".mp3"
        if not guessed and self.seconds - done / self.sample_rate > _CUT_SHORT_SECONDS:
            raise AudioError(f"{self.path}: {self._cut_short(done)}")

    def _read(self, size: int) -> Iterator[NDArray[np.float32]]:
        done = 0
        try:
            for block in read_blocks(self._file, size):
                yield block
                done += block.shape[0]
        except AudioError as error:
            fact = str(error).removeprefix(f"{self.path}: ")
            raise AudioError(f"{self.path}: {self._cut_short(done)}; {fact}") from error

    def _cut_short(self, done: int) -> str:
        seconds = done / self.sample_rate
        return f"ends after {seconds:.1f} of {self.seconds:.1f} s; copy or export it again"


def resampled(blocks: Iterable[Samples], from_rate: int, to_rate: int) -> Iterator[Samples]:
    """Yield a mono stream resampled between rates in Hz; its length is ``ceil(T * to / from)``."""
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
        yield from resampled(map(file.mono, file.blocks()), file.sample_rate, sample_rate)


def cut(blocks: Iterable[Samples], spans: Iterable[Span]) -> Iterator[Samples]:
    """Yield the samples of each span of a stream, holding at most one span and one block.

    Spans are in order of their start and may overlap; samples beyond the end are omitted.
    """
    stream = iter(blocks)
    held, first = np.zeros(0, np.float32), 0
    for span in spans:
        while first + held.shape[0] < span.stop and (block := next(stream, None)) is not None:
            # Samples before this span are not needed again.
            gone = min(max(0, span.start - first), held.shape[0])
            held, first = np.concatenate([held[gone:], block]), first + gone
        yield held[max(0, span.start - first) : max(0, span.stop - first)].copy()

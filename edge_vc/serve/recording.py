"""Convert a whole recording: blocks of a file in, WAV bytes out, with bounded memory."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np

from edge_vc.serve.voices import ServeError
from edge_vc_runtime.audio.file_source import FileSource
from edge_vc_runtime.audio.resampler import Resampler, resampled_length
from edge_vc_runtime.live.converter import HopConverter
from edge_vc_runtime.live.offline import convert_blocks
from edge_vc_runtime.samples import Samples

_MAX_RATE = 48000


@dataclass(frozen=True)
class RecordingFacts:
    """Facts about a recording that was read to its end once, which validates its content."""

    path: Path
    sample_rate: int
    """Hz."""
    frames: int
    """Samples per channel."""
    notice: str | None = None
    """A problem the user should know about, one line."""

    @property
    def output_rate(self) -> int:
        """Rate of the result in Hz: the recording's own, but at most 48 kHz."""
        return min(self.sample_rate, _MAX_RATE)

    @property
    def output_frames(self) -> int:
        """Length of the result in samples."""
        return resampled_length(self.frames, self.sample_rate, self.output_rate)


def measure_recording(path: Path, minutes: float, stop: Event) -> RecordingFacts:
    """Read a recording to its end or to the limit; raises `AudioIOError` or `ServeError`.

    A compressed file of a few MB can hold days of audio, so its length is counted instead of
    trusting the header. Setting ``stop`` from another thread ends the reading.
    """
    source = FileSource(path)
    try:
        frames, limit = 0, minutes * 60 * source.sample_rate
        for block in source.blocks():
            frames += block.shape[0]
            if stop.is_set():
                raise ServeError("stopped")
            if frames > limit:
                raise ServeError(f"the recording is longer than {minutes:g} minutes; cut it")
        return RecordingFacts(path, source.sample_rate, frames, source.notice)
    finally:
        source.close()


class RecordingConversion:
    """Iterates over the result as bytes of a WAV file, converting on the fly.

    Mono, or with ``pair`` two time-aligned channels: the recording and its conversion.
    """

    def __init__(self, facts: RecordingFacts, converter: HopConverter, pair: bool) -> None:
        self._facts = facts
        self._converter = converter
        self._channels = 2 if pair else 1
        self._original: list[Samples] = []

    @property
    def size(self) -> int:
        """Total number of bytes."""
        return len(self._header()) + self._facts.output_frames * 2 * self._channels

    def __iter__(self) -> Iterator[bytes]:
        yield self._header()
        for piece in self._converted():
            if piece.shape[0]:
                yield self._encode(piece)

    def _converted(self) -> Iterator[Samples]:
        facts, rate = self._facts, self._converter.sample_rate
        source = FileSource(facts.path)
        try:
            after = Resampler(rate, facts.output_rate)
            before = Resampler(facts.sample_rate, rate)
            blocks = _resampled(before, self._kept(source.blocks()))
            for piece in convert_blocks(self._converter, blocks):
                yield after.push(piece).copy()
            yield after.finish(facts.output_frames)
        finally:
            source.close()

    def _kept(self, blocks: Iterator[Samples]) -> Iterator[Samples]:
        """Pass blocks on and store them, at the output rate, for the first channel."""
        if self._channels == 1:
            yield from blocks
            return
        original = Resampler(self._facts.sample_rate, self._facts.output_rate)
        for block in blocks:
            self._original.append(original.push(block))
            yield block
        self._original.append(original.finish(self._facts.output_frames))

    def _encode(self, converted: Samples) -> bytes:
        channels = [converted]
        if self._channels == 2:
            channels.insert(0, self._take(converted.shape[0]))
        audio = np.clip(np.rint(np.stack(channels, 1) * 32768), -32768, 32767)
        return audio.astype("<i2").tobytes()

    def _take(self, count: int) -> Samples:
        audio = np.concatenate([*self._original, np.zeros(0, np.float32)])
        self._original = [audio[count:]]
        taken = audio[:count]
        return np.pad(taken, (0, count - taken.shape[0]))

    def _header(self) -> bytes:
        """Return the 44 bytes of a PCM header."""
        rate, width = self._facts.output_rate, 2 * self._channels
        size = self._facts.output_frames * width
        form = struct.pack("<HHIIHH", 1, self._channels, rate, rate * width, width, 16)
        body = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", size)
        return b"RIFF" + struct.pack("<I", 4 + len(body) + size) + b"WAVE" + body


def _resampled(resampler: Resampler, blocks: Iterator[Samples]) -> Iterator[Samples]:
    for block in blocks:
        yield resampler.push(block)
    yield resampler.finish()

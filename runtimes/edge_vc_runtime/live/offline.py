"""Offline conversion through a session: blocks in, hops through the model, blocks out.

The output is time-aligned with the input and has the same length: the graph's delay is removed at
the beginning and flushed with silence at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.resampler import Resampler, resampled_length
from edge_vc_runtime.audio.sink import AudioSink
from edge_vc_runtime.audio.source import AudioSource
from edge_vc_runtime.live.converter import HopConverter
from edge_vc_runtime.live.hop_times import HopTimes
from edge_vc_runtime.samples import Samples


class BlockEffect(Protocol):
    """An effect that changes converted audio and its length, such as a time stretch."""

    def push(self, audio: Samples) -> Samples:
        """Take ``[T]`` at the model's rate and return ``[0 or more]``."""

    def finish(self) -> Samples:
        """Return the rest."""


@dataclass(frozen=True)
class Conversion:
    """The result of a conversion."""

    frames: int
    """Samples written, at the output's rate."""
    seconds: float
    """Duration of the audio."""
    wall_seconds: float
    """Elapsed time, including reading and resampling."""
    times: HopTimes
    """Time in the model only."""


def convert_stream(
    session: HopConverter,
    source: AudioSource,
    sink: AudioSink,
    output_rate: int | None = None,
    progress: Callable[[float], None] | None = None,
    effect: BlockEffect | None = None,
) -> Conversion:
    """Convert a source to its end, in constant memory, and finish the sink.

    ``output_rate`` is in Hz, by default the model's; ``progress`` is called with the seconds read;
    ``effect`` is applied to the converted audio and may change its length. On any error the sink is
    aborted. Raises `AudioIOError` for unusable audio.
    """
    start = time.perf_counter()
    rate = output_rate or session.sample_rate
    times = HopTimes(int(session.hop / session.sample_rate * 1e9))
    meter = _Meter(source, progress)
    try:
        after = Resampler(session.sample_rate, rate)
        before = Resampler(source.sample_rate, session.sample_rate)
        written = 0
        pieces = convert_blocks(session, _resampled(before, meter), times)
        for piece in pieces if effect is None else _changed(effect, pieces):
            ready = after.push(piece)
            sink.write(ready)
            written += ready.shape[0]
        if not meter.frames:
            raise AudioIOError(f"{source.name}: holds no samples; give audio that is not empty")
        length = resampled_length(meter.frames, source.sample_rate, rate)
        rest = after.finish(length if effect is None else None)
        sink.write(rest)
        sink.finish()
    except BaseException:
        sink.abort()
        raise
    return Conversion(
        frames=written + rest.shape[0],
        seconds=meter.frames / source.sample_rate,
        wall_seconds=time.perf_counter() - start,
        times=times,
    )


def convert_array(session: HopConverter, audio: Samples) -> Samples:
    """Convert ``[T]`` at the session's rate to ``[T]``, starting from silence, like a stream."""
    session.reset()
    mono = np.ascontiguousarray(audio, np.float32)
    pieces = [piece.copy() for piece in convert_blocks(session, [mono])]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def convert_blocks(
    session: HopConverter, blocks: Iterable[Samples], times: HopTimes | None = None
) -> Iterator[Samples]:
    """Yield converted pieces ``[<= hop]``, aligned with the input and of the same total length.

    A piece is overwritten two steps later. ``times``, if given, records each step's duration.
    """
    taken = 0  # actual input samples
    passed = -session.delay  # output samples minus the delay
    given = 0
    for hop, real in _hops(blocks, session.hop, session.delay):
        begin = time.perf_counter_ns()
        out = session.step(hop)
        if times is not None:
            times.record(time.perf_counter_ns() - begin)
        taken += real
        skip = min(max(-passed, 0), session.hop)
        passed += session.hop
        piece = out[skip : skip + taken - given]
        if piece.shape[0]:
            given += piece.shape[0]
            yield piece


class _Meter:
    """Counts a source's samples and reports seconds."""

    def __init__(self, source: AudioSource, progress: Callable[[float], None] | None) -> None:
        self.frames = 0
        self._source = source
        self._progress = progress

    def __iter__(self) -> Iterator[Samples]:
        for block in self._source.blocks():
            self.frames += block.shape[0]
            if self._progress:
                self._progress(self.frames / self._source.sample_rate)
            yield block


def _resampled(resampler: Resampler, blocks: Iterable[Samples]) -> Iterator[Samples]:
    for block in blocks:
        yield resampler.push(block)
    yield resampler.finish()


def _changed(effect: BlockEffect, pieces: Iterable[Samples]) -> Iterator[Samples]:
    for piece in pieces:
        yield effect.push(piece)
    yield effect.finish()


def _hops(blocks: Iterable[Samples], hop: int, delay: int) -> Iterator[tuple[Samples, int]]:
    """Yield hops and their number of actual samples, followed by silence to flush the delay."""
    frame = np.zeros(hop, np.float32)
    filled = total = 0
    for block in blocks:
        start = 0
        total += block.shape[0]
        while start < block.shape[0]:
            count = min(hop - filled, block.shape[0] - start)
            frame[filled : filled + count] = block[start : start + count]
            filled += count
            start += count
            if filled == hop:
                yield frame, hop
                filled = 0
    whole = total - filled
    flushed = total + delay if total else 0
    while whole < flushed:
        frame[filled:] = 0.0
        yield frame, filled
        filled = 0
        whole += hop

"""Plays test signals on one device, records another and detects the signals in the recording."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.devices.backend import DeviceStream, InputCallback, OutputCallback
from edge_vc_runtime.devices.error import DeviceGoneError
from edge_vc_runtime.latency.capture import Capture
from edge_vc_runtime.latency.detection import Detection
from edge_vc_runtime.latency.playback import Playback
from edge_vc_runtime.latency.round_trip import RoundTrip
from edge_vc_runtime.latency.signals import ProbeSignal
from edge_vc_runtime.samples import Samples

LONGEST_S = 1.0
"""Longest delay to search for."""
_LEAD_S = 0.5  # for streams to settle
_GAP_S = 0.3
_POLL_S = 0.05


@dataclass(frozen=True)
class StreamPair:
    """Functions that open the two streams, without starting them."""

    open_input: Callable[[InputCallback], DeviceStream]
    open_output: Callable[[OutputCallback], DeviceStream]


def measure_round_trip(
    pair: StreamPair,
    signals: Sequence[ProbeSignal],
    gain: float = 1.0,
    longest_s: float = LONGEST_S,
    progress: Callable[[float], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock_ns: Callable[[], int] = time.perf_counter_ns,
) -> RoundTrip:
    """Play each signal once and return the delays between outputting and receiving it.

    That is the delay of a program that passes audio on immediately: both buffers, both converters,
    and whatever is between output and input. Raises `DeviceError`.
    """
    capture, playback = Capture(clock_ns), Playback(clock_ns)
    source = pair.open_input(capture.take)
    try:
        sink = pair.open_output(playback.fill)
        try:
            starts = _schedule(signals, longest_s)
            seconds = starts[-1] + signals[-1].seconds + longest_s + _GAP_S
            capture.prepare(source.format, seconds + _LEAD_S)
            rate = sink.format.sample_rate
            playback.prepare(sink.format, _track(signals, starts, seconds, rate, gain))
            _run(source, sink, playback, seconds, progress, sleep)
        finally:
            sink.close()
    finally:
        source.close()
    return _evaluate(capture, playback, signals, starts, longest_s)


def _schedule(signals: Sequence[ProbeSignal], longest_s: float) -> list[float]:
    """Return when each signal begins in s, at random phases of the callbacks."""
    random = np.random.default_rng(0)
    starts, now = [], _LEAD_S
    for signal in signals:
        starts.append(now)
        now += signal.seconds + longest_s + _GAP_S + random.uniform(0, 0.02)
    return starts


def _track(
    signals: Sequence[ProbeSignal], starts: Sequence[float], seconds: float, rate: int, gain: float
) -> Samples:
    track = np.zeros(int(seconds * rate), np.float32)
    for signal, start in zip(signals, starts, strict=True):
        played = signal.play(rate)
        first = int(start * rate)
        track[first : first + played.shape[0]] = gain * played
    return track


def _run(
    source: DeviceStream,
    sink: DeviceStream,
    playback: Playback,
    seconds: float,
    progress: Callable[[float], None] | None,
    sleep: Callable[[float], None],
) -> None:
    source.start()
    sink.start()
    deadline = time.monotonic() + 2 * seconds + 5
    while not playback.done:
        if not (source.active and sink.active) or time.monotonic() > deadline:
            gone = "input" if not source.active else "output"
            raise DeviceGoneError(f"the {gone} device stopped during the measurement; try again")
        sleep(_POLL_S)
        if progress:
            progress(playback.seconds)


def _evaluate(
    capture: Capture,
    playback: Playback,
    signals: Sequence[ProbeSignal],
    starts: Sequence[float],
    longest_s: float,
) -> RoundTrip:
    audio = capture.audio()
    delays: list[float] = []
    found: list[Detection] = []
    for signal, start in zip(signals, starts, strict=True):
        begin = playback.time_of(int(start * playback.sample_rate))
        hit = _find(capture, audio, signal, begin, longest_s)
        if hit is None:
            continue
        delay = capture.time_of(hit.position) - begin
        if 0 < delay <= longest_s:
            delays.append(1e3 * delay)
            found.append(hit)
    return RoundTrip(
        repeats=len(signals),
        delays_ms=tuple(delays),
        detections=tuple(found),
        peak=float(np.abs(audio).max(initial=0.0)),
        xruns=capture.xruns + playback.xruns,
    )


def _find(
    capture: Capture,
    audio: NDArray[np.float32],
    signal: ProbeSignal,
    begin: float,
    longest_s: float,
) -> Detection | None:
    """Search for a signal from the time it was played; the returned position is absolute."""
    rate = capture.sample_rate
    if not np.isfinite(begin):
        return None
    first = max(int(capture.position_at(begin)) - int(0.05 * rate), 0)
    last = first + int((signal.seconds + longest_s + 0.1) * rate)
    hit = signal.find(audio[first:last], rate)
    return hit and Detection(hit.position + first, hit.similarity, hit.peak_ratio)

"""F0 of recordings of any length, equal to that of `edge_vc.audio.pitch` over the whole.

Global quantities (the typical F0, the level of voiced frames) are computed in separate passes;
then F0 is searched part by part. A few numbers are kept for each 10 ms.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from edge_vc.audio.io import AudioError
from edge_vc.audio.long_audio import AudioWindow, LongAudio, windows
from edge_vc.audio.pitch import (
    Contour,
    Signal,
    bass_power,
    high_pass,
    loud_power,
    periods,
    search_f0,
    search_range,
    speech_frames,
    weak_power,
)

PART_SECONDS = 30.0
"""Length of the parts that are processed at once."""
CONTEXT_SECONDS = 2.0
"""Context before and after: filters have decayed by then, and WORLD needs no more."""


def long_f0(
    audio: LongAudio, sample_rate: int, hop: int, lowest: float = 60.0, highest: float = 600.0
) -> Contour:
    """Return the ``f0`` of `track_pitch`: ``T // hop + 1`` frames in Hz, 0 where unvoiced."""
    typical = long_typical_pitch(audio, sample_rate, lowest, highest)
    frames = audio.length // hop + 1
    if not typical:
        return np.zeros(frames, np.float32)
    low, high = search_range(typical, lowest, highest)
    f0, power = np.zeros(frames), np.zeros(frames)
    for part in _parts(audio, sample_rate, hop):
        signal = high_pass(audio.read(part.low, part.high), sample_rate, low)
        inner, place = _frames(part, hop, frames)
        f0[place] = search_f0(signal, sample_rate, hop, low, high)[inner]
        power[place] = bass_power(signal, sample_rate, hop)[inner]
    f0[power < weak_power(power)] = 0.0
    return f0.astype(np.float32)


def long_typical_pitch(
    audio: LongAudio, sample_rate: int, lowest: float = 60.0, highest: float = 600.0
) -> float:
    """Return `typical_pitch` in Hz; 0.0 if nothing is periodic."""
    window = round(0.04 * sample_rate)
    hop = window // 4
    if audio.length < window or _flat(audio, sample_rate, hop):
        return 0.0
    count = audio.length // hop + 1
    power = np.zeros(count)
    for part, frames in _speech_frames(audio, sample_rate, hop, lowest):
        inner, place = _frames(part, hop, count)
        power[place] = np.square(frames[inner]).mean(axis=1)
    limit, found = loud_power(power), []
    for part, frames in _speech_frames(audio, sample_rate, hop, lowest):
        inner, place = _frames(part, hop, count)
        loud = frames[inner][power[place] > limit]
        found.append(periods(loud, sample_rate, lowest, highest))
    lags = np.concatenate(found)
    return float(sample_rate / np.median(lags)) if lags.size else 0.0


def _speech_frames(
    audio: LongAudio, sample_rate: int, hop: int, lowest: float
) -> Iterator[tuple[AudioWindow, Signal]]:
    for part in _parts(audio, sample_rate, hop):
        yield part, speech_frames(audio.read(part.low, part.high), sample_rate, lowest)


def _parts(audio: LongAudio, sample_rate: int, hop: int) -> Iterator[AudioWindow]:
    """Yield windows that start and end on frame boundaries."""
    size, context = (
        max(1, round(seconds * sample_rate / hop)) * hop
        for seconds in (PART_SECONDS, CONTEXT_SECONDS)
    )
    return windows(audio.length, size, context)


def _frames(part: AudioWindow, hop: int, count: int) -> tuple[slice, slice]:
    """Return the positions of a window's frames within it and within the recording."""
    first = part.start // hop
    last = part.stop // hop if part.stop < part.high else count
    before = part.low // hop
    return slice(first - before, last - before), slice(first, last)


def _flat(audio: LongAudio, sample_rate: int, hop: int) -> bool:
    """Return whether all samples are equal; raises `AudioError` for NaN or infinity."""
    lowest, highest = np.inf, -np.inf
    for part in _parts(audio, sample_rate, hop):
        samples = audio.read(part.start, part.stop)
        if not np.isfinite(samples).all():
            raise AudioError("pitch tracking needs finite samples; the audio holds NaN or infinity")
        lowest, highest = min(lowest, samples.min()), max(highest, samples.max())
    return bool(highest == lowest)

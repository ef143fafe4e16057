"""Cut a recording into utterances: trim silence, split long speech at pauses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import AudioError
from edge_vc.audio.span import Span
from edge_vc.audio.voice_activity import FRAME, SAMPLE_RATE, Probabilities

_SMOOTH_FRAMES = 5


@dataclass(frozen=True)
class SegmentSettings:
    """Thresholds for speech and limits on the length of segments."""

    enter: float = 0.5
    """Speech starts at this probability."""
    leave: float = 0.35
    """Speech ends below this probability."""
    min_speech_seconds: float = 0.1
    """Shorter bursts are treated as clicks."""
    max_pause_seconds: float = 0.6
    """Longer pauses end a segment."""
    pad_seconds: float = 0.15
    """Padding kept before and after, since consonants start softly."""
    max_seconds: float = 15.0
    """Longer segments are split where speech is least likely in their second half."""

    def __post_init__(self) -> None:
        """Check the values."""
        if not 0 < self.leave <= self.enter < 1:
            raise AudioError(f"leave {self.leave} and enter {self.enter}: 0 < leave <= enter < 1")
        if self.max_seconds < 1:
            raise AudioError(f"max_seconds is {self.max_seconds}; a segment needs at least 1")


def find_segments(
    probabilities: Probabilities, length: int, settings: SegmentSettings | None = None
) -> list[Span]:
    """Return the segments of ``length`` samples at 16 kHz, in order and without overlap.

    ``probabilities`` are those of `voice_activity`, one per `FRAME` samples.
    """
    settings = settings or SegmentSettings()
    pause = _frames(settings.max_pause_seconds)
    joined = _join(speech_runs(probabilities, settings), pause)
    # The padding counts towards the length.
    longest = max(1, _frames(settings.max_seconds - 2 * settings.pad_seconds))
    pieces = [piece for run in joined for piece in _split(run, probabilities, longest)]
    return _pad(pieces, round(settings.pad_seconds * SAMPLE_RATE), length)


def whole_segment(
    probabilities: Probabilities, length: int, settings: SegmentSettings | None = None
) -> list[Span]:
    """Return one span from the first to the last speech, pauses included; none without speech."""
    settings = settings or SegmentSettings()
    runs = speech_runs(probabilities, settings)
    if not runs:
        return []
    pad = round(settings.pad_seconds * SAMPLE_RATE)
    return _pad([Span(runs[0].start, runs[-1].stop)], pad, length)


def speech_runs(probabilities: Probabilities, settings: SegmentSettings) -> list[Span]:
    """Return the runs of speech in frames, found with hysteresis, without short bursts."""
    above = probabilities >= settings.leave
    edges = np.flatnonzero(np.diff(above.astype(np.int8), prepend=0, append=0))
    runs = [Span(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    shortest = _frames(settings.min_speech_seconds)
    return [
        run
        for run in runs
        if len(run) >= shortest and probabilities[run.start : run.stop].max() >= settings.enter
    ]


def speech_share(probabilities: Probabilities, span: Span, enter: float = 0.5) -> float:
    """Return the share of frames in ``span`` (in samples) that are speech."""
    inside = frames_of(probabilities, span)
    return float((inside >= enter).mean()) if inside.size else 0.0


def frames_of(values: NDArray[np.float32], span: Span) -> NDArray[np.float32]:
    """Return the per-frame ``values`` within ``span``, given in samples."""
    return values[span.start // FRAME : -(-span.stop // FRAME)]


def _frames(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE / FRAME)


def _join(runs: Iterable[Span], pause: int) -> list[Span]:
    joined: list[Span] = []
    for run in runs:
        if joined and run.start - joined[-1].stop <= pause:
            joined[-1] = Span(joined[-1].start, run.stop)
        else:
            joined.append(run)
    return joined


def _split(run: Span, probabilities: Probabilities, longest: int) -> list[Span]:
    """Split frames so that no piece exceeds ``longest``, at the minimum of its second half.

    If little more than ``longest`` remains, it is split in halves to avoid a short remainder.
    """
    pieces = []
    smooth = np.convolve(
        probabilities[run.start : run.stop], np.ones(_SMOOTH_FRAMES) / _SMOOTH_FRAMES, mode="same"
    )
    start, end = 0, len(run)
    while end - start > longest:
        reach = min(longest, (end - start) * 2 // 3)
        window = smooth[start + reach // 2 : start + reach]
        split = start + reach // 2 + int(window.argmin()) if window.size else start + longest
        pieces.append(Span(run.start + start, run.start + split))
        start = split
    return [*pieces, Span(run.start + start, run.start + end)]


def _pad(frames: list[Span], pad: int, length: int) -> list[Span]:
    """Convert frames to padded samples; neighbours meet in the middle of the pause between."""
    if not frames:
        return []
    spans = [Span(frame.start * FRAME, min(frame.stop * FRAME, length)) for frame in frames]
    starts = [0, *((a.stop + b.start) // 2 for a, b in pairwise(spans))]
    stops = [*starts[1:], length]
    return [
        Span(max(low, span.start - pad), min(high, span.stop + pad))
        for span, low, high in zip(spans, starts, stops, strict=True)
    ]

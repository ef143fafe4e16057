"""The report's section on a live run: the loop's statistics from start to end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepTimes:
    """Time of one step of the converter over the whole run; percentiles are at most 1.6 % high."""

    mean_ms: float
    p50_ms: float
    p90_ms: float | None
    """Null for fewer than 10 hops."""
    p99_ms: float | None
    """Null for fewer than 100 hops."""
    max_ms: float
    deadline_ms: float
    """Duration of a hop."""
    rtf: float | None
    """Mean time relative to the hop duration; below 1 is real time. Null for less than 1 s."""


@dataclass(frozen=True)
class DelayRange:
    """Delay from microphone to ear in ms, excluding the cards' converters."""

    min_ms: float
    mean_ms: float
    max_ms: float
    first_ms: float
    """The first known value."""
    last_ms: float


@dataclass(frozen=True)
class LatencyParts:
    """The parts of the delay at the end of the run, in ms; null if unknown."""

    input_buffer_ms: float | None
    resampling_ms: float
    algorithmic_ms: float
    chain_ms: float
    compute_ms: float | None
    reserve_ms: float
    output_buffer_ms: float | None


@dataclass(frozen=True)
class TierUse:
    """The time for which one tier of the bundle ran."""

    tier: str
    seconds: float


@dataclass(frozen=True)
class LiveRun:
    """One live run, from the start of the streams to their end."""

    seconds: float
    hops: int
    late: int
    """Hops whose step took longer than the hop duration."""
    muted: int
    """Hops replaced by silence because the model's output was not finite."""
    input_overflows: int
    output_underflows: int
    reconnects: int
    """Number of times that a vanished device came back."""
    step: StepTimes | None
    """Null if no hop was converted."""
    delay: DelayRange | None
    """Null if the streams never reported their latency."""
    parts: LatencyParts
    gate_open_share: float
    """Share of time, 0 to 1, in which the voice gate was open."""
    bypassed_share: float
    """Share of time, 0 to 1, in which the voice passed unconverted."""
    drift_ppm: float
    """How much faster the output's clock ran than the input's, by the last estimate."""
    tier_changes: int
    tiers: tuple[TierUse, ...]
    temperature_max_c: float | None
    throttled: str | None
    """The firmware's throttling bits at the end, hexadecimal."""
    input_device: str
    output_device: str
    dropped: int = 0
    """Input hops dropped after a gap, so that the delay did not grow."""
    clipped: int = 0
    """Number of input samples above full scale, which were clamped."""

    @property
    def xruns(self) -> int:
        """Overflows and underflows together."""
        return self.input_overflows + self.output_underflows

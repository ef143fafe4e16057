"""The report's section about a live run: what the loop did between its start and its end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepTimes:
    """Time of one step of the converter over the whole run; percentiles are at most 1.6 % high."""

    mean_ms: float
    p50_ms: float
    p90_ms: float | None
    """Null for less than 10 hops."""
    p99_ms: float | None
    """Null for less than 100 hops."""
    max_ms: float
    deadline_ms: float
    """Duration of a hop."""
    rtf: float | None
    """Mean time over the hop's duration; below 1 is real time. Null for less than 1 s."""


@dataclass(frozen=True)
class DelayRange:
    """Delay from microphone to ear in ms, the converters of the cards not included."""

    min_ms: float
    mean_ms: float
    max_ms: float
    first_ms: float
    """When it was first known."""
    last_ms: float


@dataclass(frozen=True)
class LatencyParts:
    """Where the delay came from, at the end of the run, in ms; null where it is not known."""

    input_buffer_ms: float | None
    resampling_ms: float
    algorithmic_ms: float
    chain_ms: float
    compute_ms: float | None
    reserve_ms: float
    output_buffer_ms: float | None


@dataclass(frozen=True)
class TierUse:
    """How long one tier of the bundle ran."""

    tier: str
    seconds: float


@dataclass(frozen=True)
class LiveRun:
    """One live run, from the start of the streams to their end."""

    seconds: float
    hops: int
    late: int
    """Hops whose step took longer than a hop lasts."""
    muted: int
    """Hops replaced by silence because the model's output was not finite."""
    input_overflows: int
    output_underflows: int
    reconnects: int
    """Times that a device came back after it had vanished."""
    step: StepTimes | None
    """Null when no hop was converted."""
    delay: DelayRange | None
    """Null when the streams never told their latency."""
    parts: LatencyParts
    gate_open_share: float
    """Share of the time, 0 to 1, in which the voice gate was open."""
    bypassed_share: float
    """Share of the time, 0 to 1, in which the voice passed unconverted."""
    drift_ppm: float
    """How much faster the output's clock ran than the input's, as last estimated."""
    tier_changes: int
    tiers: tuple[TierUse, ...]
    temperature_max_c: float | None
    throttled: str | None
    """The firmware's throttling bits at the end, hexadecimal."""
    input_device: str
    output_device: str
    dropped: int = 0
    """Hops of input that were left out after a gap, so that the delay did not grow."""
    clipped: int = 0
    """Input samples beyond full scale, which were clamped."""

    @property
    def xruns(self) -> int:
        """Overflows and underflows together."""
        return self.input_overflows + self.output_underflows

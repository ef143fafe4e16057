"""The state of a running conversion at one moment, for a meter, a metric or a governor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from edge_vc_runtime.live.recent_times import FEWEST

LiveState = Literal["starting", "running", "waiting", "stopped"]
"""``waiting``: a device is gone, and is searched for until it is back."""


@dataclass(frozen=True)
class DelayParts:
    """The parts of the delay from microphone to ear, in ms; None if unknown."""

    input_buffer_ms: float | None
    """The card's ring, from the opened input stream."""
    output_buffer_ms: float | None
    """The card's ring, from the opened output stream."""
    resampling_ms: float
    """Both resamplers."""
    algorithmic_ms: float
    """One hop and the graph's look-ahead."""
    chain_ms: float
    """Stages around the model."""
    reserve_ms: float
    """Audio waiting in the output ring, so that a slow step is inaudible."""
    compute_ms: float | None
    """99th percentile of a step's time; None before the first hops."""

    @property
    def total_ms(self) -> float | None:
        """The sum, None while a part is unknown."""
        parts = (self.input_buffer_ms, self.output_buffer_ms, self.compute_ms)
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        fixed = self.resampling_ms + self.algorithmic_ms + self.chain_ms + self.reserve_ms
        return sum(known) + fixed


@dataclass(frozen=True)
class LiveSnapshot:
    """The state at one moment; all values may be a hop old."""

    state: LiveState
    seconds: float
    """Time since the start, in s."""
    hops: int
    late: int
    input_overflows: int
    output_underflows: int
    muted: int
    reopened: int
    input_db: float
    """Level of the last 100 ms in dBFS (RMS); -120 for silence."""
    output_db: float
    p50_ms: float | None
    """Median time of a step in ms over the last second; None before the first hops."""
    p99_ms: float | None
    rtf: float | None
    """Mean time of a step over a hop's duration."""
    delay: DelayParts
    tier: str
    """The running student: ``base``, ``nano``."""
    bypassed: bool
    gate_open: bool
    drift_ppm: float
    """Estimate of how much faster the output's clock runs than the input's."""
    temperature_c: float | None = None
    throttled: str | None = None
    """The firmware's throttling bits, hexadecimal; None if there are none."""
    dropped: int = 0
    """Input hops dropped after a gap."""
    clipped: int = 0
    """Number of input samples above full scale, which were clamped."""
    input_device: str = ""
    output_device: str = ""
    parameters: dict[str, float] = field(default_factory=dict)
    """Values of the chain's parameters by name."""

    @property
    def tail_ms(self) -> float | None:
        """``p99_ms`` for display: None with too few hops to have one above it."""
        return self.p99_ms if self.hops >= FEWEST else None

    @property
    def load(self) -> float | None:
        """``rtf`` for display: None during the first hops."""
        return self.rtf if self.hops >= FEWEST else None

    @property
    def xruns(self) -> int:
        """Overflows and underflows together."""
        return self.input_overflows + self.output_underflows

"""A governor's observation of a running conversion at one moment."""

from __future__ import annotations

from dataclasses import dataclass

_NOW = 0xF
"""Bits of the firmware's current throttling state: under-voltage, capped, throttled, hot. Those
from bit 16 on mean that it has occurred since boot."""


@dataclass(frozen=True)
class Observation:
    """One moment; figures cover the second before it and are None if nothing was measured."""

    seconds: float
    """Time in s on a monotonic clock."""
    hop_ms: float
    """Duration of a hop, the deadline of a step."""
    p50_ms: float | None = None
    """Median time of a step in ms; None while the model is not running."""
    p99_ms: float | None = None
    callback_hops: float = 0.1
    """Duration of one callback of the loudspeaker in hops."""
    least_fill: float | None = None
    """Lowest fill of the output ring in hops, before a hop was written; None if unknown."""
    xruns: int = 0
    """Overflows and underflows since the start."""
    starved: int = 0
    """Those in which the loudspeaker's own buffer had run empty, since the start."""
    temperature_c: float | None = None
    throttled: str | None = None
    """The firmware's bits, hexadecimal (``0x50005``); see `edge_vc_runtime.sensors`."""
    running: bool = True
    """False while a device is gone; no decisions are made then."""

    @property
    def throttled_now(self) -> bool:
        """Whether the firmware is currently throttling the processor."""
        try:
            return bool(int(self.throttled or "0", 16) & _NOW)
        except ValueError:
            return False

"""What a governor sees of a running conversion at one moment."""

from __future__ import annotations

from dataclasses import dataclass

_NOW = 0xF
"""Bits of the firmware's throttling state that hold now: under-voltage, capped, throttled, hot.
The ones from bit 16 say that it happened since the start."""


@dataclass(frozen=True)
class Observation:
    """One moment; figures are of the second before it, None where nothing was measured."""

    seconds: float
    """Time in s of a clock that only runs forward."""
    hop_ms: float
    """Duration of a hop: what a step may take."""
    p50_ms: float | None = None
    """Median time of a step in ms; None while the model is not run."""
    p99_ms: float | None = None
    callback_hops: float = 0.1
    """Duration of one callback of the loudspeaker in hops."""
    least_fill: float | None = None
    """Lowest fill of the output ring in hops, before a hop was written; None where unknown."""
    xruns: int = 0
    """Overflows and underflows since the start."""
    starved: int = 0
    """Those of them in which the loudspeaker's own buffer had run empty, since the start."""
    temperature_c: float | None = None
    throttled: str | None = None
    """The firmware's bits, hexadecimal (``0x50005``); see `edge_vc_runtime.sensors`."""
    running: bool = True
    """False while a device is gone: nothing is decided then."""

    @property
    def throttled_now(self) -> bool:
        """Whether the firmware slows the processor down at this moment."""
        try:
            return bool(int(self.throttled or "0", 16) & _NOW)
        except ValueError:
            return False

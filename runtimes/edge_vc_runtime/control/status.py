"""The status that a live run reports on request."""

from __future__ import annotations

from edge_vc_runtime.live.snapshot import LiveSnapshot


class LatestStatus:
    """Keeps the last snapshot; `observe` is called by the monitor thread, the object by any."""

    def __init__(self) -> None:
        self._seen: LiveSnapshot | None = None

    def observe(self, seen: LiveSnapshot) -> None:
        """Store a snapshot."""
        self._seen = seen

    def __call__(self) -> dict[str, object]:
        """Return the snapshot as JSON values; before the first one only ``state``."""
        seen = self._seen
        if seen is None:
            return {"state": "starting"}
        return {
            "state": seen.state,
            "seconds": round(seen.seconds, 1),
            "tier": seen.tier,
            "delay_ms": _rounded(seen.delay.total_ms),
            "input_db": _rounded(seen.input_db),
            "output_db": _rounded(seen.output_db),
            "gate": "open" if seen.gate_open else "closed",
            "bypassed": seen.bypassed,
            "p50_ms": _rounded(seen.p50_ms, 3),
            "p99_ms": _rounded(seen.p99_ms, 3),
            "xruns": seen.xruns,
            "late": seen.late,
            "muted": seen.muted,
            "clipped": seen.clipped,
            "temperature_c": seen.temperature_c,
        }


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)

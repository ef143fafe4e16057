"""Load of a live conversion in three degrees, described in words and figures."""

from __future__ import annotations

from dataclasses import dataclass

from edge_vc_runtime.governor.governor_options import GovernorSettings
from edge_vc_runtime.governor.observation import Observation


@dataclass(frozen=True)
class Pressure:
    """Reasons to act, empty if there is none; a stronger one does not imply a weaker one."""

    strained: str
    """Isolated slow steps or an audible glitch: more delay helps."""
    overloaded: str
    """Constantly slow, or repeated glitches: a smaller tier helps."""
    hopeless: str
    """Slower than real time on average, or constant glitches."""
    calm: bool
    """No reason to act, and a margin for more load."""
    hot: str
    """Why the processor may slow down at any moment."""
    figures: str
    """The measured figures."""


def pressure_of(seen: Observation, recent_xruns: int, settings: GovernorSettings) -> Pressure:
    """Evaluate one observation; ``recent_xruns`` are those within `GovernorSettings.window_s`."""
    hot = _heat(seen, settings)
    figures = _figures(seen, hot)
    p50, p99 = (None if ms is None else ms / seen.hop_ms for ms in (seen.p50_ms, seen.p99_ms))
    heard = f"{recent_xruns} xruns in {settings.window_s:g} s" if recent_xruns else ""
    low = falls_below(seen, settings, hops=0)
    limit = settings.hot_busy if hot else settings.busy
    slow = p50 is not None and p50 >= limit
    spiky = p99 is not None and p99 >= settings.busy

    def because(*parts: str) -> str:
        return "; ".join(part for part in (*parts, figures) if part)

    strained = bool(heard or low or spiky or slow)
    # If steps take a small part of a hop, something else is late: a busy machine, a server. A
    # smaller tier would not help, and bypass would expose the speaker's own voice to no benefit.
    matters = p99 is None or p99 >= settings.worth
    overloaded = slow or (matters and recent_xruns >= settings.tier_xruns)
    late = p50 is not None and p50 >= 1
    hopeless = late or (matters and recent_xruns >= settings.bypass_xruns)
    room = (p99 is None or p99 < settings.calm) and (p50 is None or p50 < settings.calm)
    return Pressure(
        strained=because(heard, "output ring low" if low else "") if strained else "",
        overloaded=because(heard, f"limit {limit:.0%} of a hop") if overloaded else "",
        hopeless=because(heard, "slower than real time" if late else "") if hopeless else "",
        calm=room and not (strained or overloaded or hopeless),
        hot=hot,
        figures=figures,
    )


def falls_below(seen: Observation, settings: GovernorSettings, hops: int) -> bool:
    """Return whether the ring fell so low that it would be almost empty with ``hops`` fewer."""
    nearly_empty = settings.least_fill * seen.callback_hops
    return seen.least_fill is not None and seen.least_fill < hops + nearly_empty


def _heat(seen: Observation, settings: GovernorSettings) -> str:
    """Return why the processor may slow down, empty if there is no reason."""
    if seen.throttled_now:
        return f"throttled {seen.throttled}"
    if seen.temperature_c is not None and seen.temperature_c >= settings.hot_c:
        return f"{seen.temperature_c:.1f} C of {settings.hot_c:g}"
    return ""


def _figures(seen: Observation, hot: str) -> str:
    parts = []
    if seen.p50_ms is not None and seen.p99_ms is not None:
        parts.append(f"p50 {seen.p50_ms:.2f}, p99 {seen.p99_ms:.2f} of {seen.hop_ms:.1f} ms")
    if seen.least_fill is not None:
        parts.append(f"least fill {seen.least_fill:.2f} hops")
    return ", ".join([*parts, hot] if hot else parts) or "nothing measured"

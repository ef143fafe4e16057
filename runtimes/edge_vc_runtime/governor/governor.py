"""Keeps a live conversion within real time: more delay, then a smaller tier, then bypass; and back.

It steps down one step at a time, each after the previous one had time to take effect, and up again
only after a calm period, which is longer each time that a step up had to be undone. Everything is a
function of the observations: no clock, no thread, no input or output.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge_vc_runtime.governor.actuators import Actuators, Change, Decision
from edge_vc_runtime.governor.backoff import Backoff
from edge_vc_runtime.governor.governor_options import GovernorSettings
from edge_vc_runtime.governor.observation import Observation
from edge_vc_runtime.governor.pressure import Pressure, falls_below, pressure_of
from edge_vc_runtime.governor.recent_count import RecentCount
from edge_vc_runtime.live.events import EventLog


class Governor:
    """Decides from about ten observations a second; `Decision.apply` carries out a decision."""

    def __init__(
        self, tiers: Mapping[str, float], settings: GovernorSettings | None = None, start: str = ""
    ) -> None:
        """Set the tiers' costs by name, from the largest to the smallest, in any unit.

        ``start`` is the running tier, the first one by default. Raises `ValueError` for no tiers.
        """
        if not tiers:
            raise ValueError("no tiers: give at least the one that runs")
        self.settings = settings = settings or GovernorSettings()
        self.reserve_hops = 0
        self.buffer = 1
        """Length of the loudspeaker's own buffer relative to that at the start."""
        self.bypassed = False
        self._names, self._costs = tuple(tiers), tuple(tiers.values())
        self._tier = self._names.index(start) if start else 0
        self._now = 0.0
        self._settled = 0.0
        self._bypassed_at = 0.0
        self._calm_since: float | None = None
        self._needed_at = 0.0
        """When a hop of the reserve was last needed."""
        self._busiest_ms: float | None = None
        """Highest median step time in the calm period."""
        self._xruns = RecentCount(settings.window_s)
        self._starved = RecentCount(settings.starved_s)
        self._reopened = float("-inf")
        """When the loudspeaker was last reopened."""
        self._backoffs: dict[Change, Backoff] = {
            "reserve": Backoff(settings.reserve_s, settings.longest_s, settings.forget_s),
            "tier": Backoff(settings.tier_s, settings.longest_s, settings.forget_s),
            "bypass": Backoff(settings.bypass_s, settings.longest_s, settings.forget_s),
        }

    @property
    def tier(self) -> str:
        """The tier that should run."""
        return self._names[self._tier]

    def govern(
        self, observation: Observation, actuators: Actuators, log: EventLog
    ) -> Decision | None:
        """Observe; carry out and log the decision, if any."""
        decision = self.observe(observation)
        if decision is not None:
            decision.apply(actuators)
            decision.record(log)
        return decision

    def observe(self, seen: Observation) -> Decision | None:
        """Return what to change now, or None; the governor assumes that it is carried out."""
        self._now = max(self._now, seen.seconds)  # never goes backwards with the clock
        recent = self._xruns.count(self._now, seen.xruns)
        starved = self._starved.count(self._now, seen.starved)
        if self._now < self._reopened + self.settings.settle_s:
            self._starved.clear()  # a newly opened card is irregular
        if not seen.running:
            self._pause()
            return None
        pressure = pressure_of(seen, recent, self.settings)
        self._follow_calm(seen, pressure.calm)
        if falls_below(seen, self.settings, hops=1):
            self._needed_at = self._now
        if self._now < self._settled:
            return None
        if self.bypassed:
            return self._convert_again(recent)
        return self._lengthen(starved) or self._down(pressure) or self._up(seen, pressure)

    def _follow_calm(self, seen: Observation, calm: bool) -> None:
        if not calm:
            self._calm_since = self._busiest_ms = None
            return
        if self._calm_since is None:
            self._calm_since = self._now
        if seen.p50_ms is not None:
            self._busiest_ms = max(self._busiest_ms or 0.0, seen.p50_ms)

    def _pause(self) -> None:
        """Discard earlier observations: they do not apply once a device has gone."""
        self._calm_since = self._busiest_ms = None
        self._xruns.clear()
        self._settled = self._now + self.settings.settle_s

    def _lengthen(self, starved: int) -> Decision | None:
        if starved < self.settings.starved_xruns or self.buffer >= self.settings.most_buffer:
            return None
        self._starved.clear()
        self._reopened = self._now
        self.buffer *= 2
        reason = f"the card's own buffer ran empty {starved} times in {self.settings.starved_s:g} s"
        return self._decide("buffer", self.buffer // 2, self.buffer, reason)

    def _down(self, pressure: Pressure) -> Decision | None:
        if pressure.strained and self.reserve_hops < self.settings.reserve_hops:
            self._backoffs["reserve"].failed(self._now)
            self.reserve_hops += 1
            return self._decide(
                "reserve", self.reserve_hops - 1, self.reserve_hops, pressure.strained
            )
        if pressure.overloaded and self._tier + 1 < len(self._names):
            self._backoffs["tier"].failed(self._now)
            return self._move(self._tier + 1, pressure.overloaded)
        last = self._tier + 1 == len(self._names)
        if pressure.hopeless and last and self.settings.bypass:
            self._backoffs["bypass"].failed(self._now)
            self.bypassed, self._bypassed_at = True, self._now
            return self._decide("bypass", False, True, pressure.hopeless)
        return None

    def _up(self, seen: Observation, pressure: Pressure) -> Decision | None:
        if self._calm_since is None:
            return None
        calm_s = self._now - self._calm_since
        unused_s = min(calm_s, self._now - self._needed_at)
        if self.reserve_hops and unused_s >= self._backoffs["reserve"].wait_s:
            self._backoffs["reserve"].tried(self._now)
            self.reserve_hops -= 1
            reason = f"calm for {unused_s:.0f} s, {pressure.figures}"
            return self._decide("reserve", self.reserve_hops + 1, self.reserve_hops, reason)
        if self._tier and not pressure.hot and calm_s >= self._backoffs["tier"].wait_s:
            return self._larger(seen, calm_s)
        return None

    def _convert_again(self, recent_xruns: int) -> Decision | None:
        """Leave bypass after a while; no measurement in bypass shows whether the model can run."""
        bypassed_s = self._now - self._bypassed_at
        if recent_xruns or bypassed_s < self._backoffs["bypass"].wait_s:
            return None
        self._backoffs["bypass"].tried(self._now)
        self.bypassed = False
        reason = f"bypassed for {bypassed_s:.0f} s, trying {self.tier} again"
        return self._decide("bypass", True, False, reason)

    def _larger(self, seen: Observation, calm_s: float) -> Decision | None:
        """Move up if the larger tier's median, scaled by its cost, would leave a margin.

        The highest median in the calm period is used: steps in pauses cost almost nothing.
        """
        if self._busiest_ms is None:
            return None
        ratio = self._costs[self._tier - 1] / max(self._costs[self._tier], 1e-9)
        expected, hop_ms = self._busiest_ms * ratio, seen.hop_ms
        both = expected + self._busiest_ms  # while the larger tier is warmed up
        if expected >= self.settings.calm * hop_ms or both >= self.settings.busy * hop_ms:
            self._calm_since, self._busiest_ms = self._now, None  # measure again from here
            return None
        self._backoffs["tier"].tried(self._now)
        return self._move(
            self._tier - 1,
            f"calm for {calm_s:.0f} s, p50 at most {self._busiest_ms:.2f} ms, "
            f"{expected:.2f} of {hop_ms:.1f} ms expected",
        )

    def _move(self, tier: int, reason: str) -> Decision:
        before, self._tier = self.tier, tier
        return self._decide("tier", before, self.tier, reason)

    def _decide(
        self, what: Change, before: int | str | bool, after: int | str | bool, reason: str
    ) -> Decision:
        self._settled = self._now + self.settings.settle_s
        self._calm_since = self._busiest_ms = None
        self._xruns.clear()
        return Decision(self._now, what, before, after, reason)

"""What a governor can change in a running conversion, and its decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from edge_vc_runtime.live.events import EventLog

Change = Literal["reserve", "buffer", "tier", "bypass"]


class Actuators(Protocol):
    """Called from the monitor thread; all but a buffer change act within a few hops, click-free."""

    def set_reserve_hops(self, hops: int) -> None:
        """Set the delay to this many hops more than at the start; see `ElasticHops.set_hops`."""

    def set_buffer(self, factor: int) -> None:
        """Set the loudspeaker buffer to a multiple of its length; see `LiveLoop.set_buffer`."""

    def select_tier(self, name: str) -> None:
        """Switch to a tier; see `TieredConverter.select`."""

    def set_bypass(self, on: bool) -> None:
        """Pass the microphone signal unconverted without running the model, or convert again."""


@dataclass(frozen=True)
class Decision:
    """One change and its reason."""

    seconds: float
    """Time, on the observations' clock."""
    what: Change
    before: int | str | bool
    """Number of hops, a factor, a tier's name, or whether it was bypassed."""
    after: int | str | bool
    reason: str
    """One line with the figures that led to it."""

    def apply(self, actuators: Actuators) -> None:
        """Carry it out."""
        if self.what == "reserve":
            actuators.set_reserve_hops(int(self.after))
        elif self.what == "buffer":
            actuators.set_buffer(int(self.after))
        elif self.what == "tier":
            actuators.select_tier(str(self.after))
        else:
            actuators.set_bypass(bool(self.after))

    def record(self, log: EventLog) -> None:
        """Log it as one event: what, from, to, reason."""
        ends = {"from": self.before, "to": self.after}
        log("governor", what=self.what, **ends, reason=self.reason)

"""The governor's limits, and the arguments that set them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from edge_vc_runtime.option_types import number_within


@dataclass(frozen=True)
class GovernorSettings:
    """When a governor acts. Loads are shares of a hop's duration: 0.8 is 8 ms of 10."""

    busy: float = 0.8
    """Load above which a step counts as too slow: the rest is for the callbacks, the stages around
    the model, and steps that are slower than the measured ones."""
    calm: float = 0.6
    """Load below which there is room: the gap to ``busy`` keeps a steady load from flapping."""
    hot_busy: float = 0.5
    """Takes the place of ``busy`` for the median while the processor is hot or throttled: its clock
    may halve at any moment."""
    hot_c: float = 80.0
    """Temperature from which that holds, in degrees Celsius: a Pi throttles at 80 to 85."""
    least_fill: float = 0.5
    """Callbacks of the loudspeaker that the output ring holds, before a hop is written, below which
    the next one that is as late would be heard: 2.5 ms of a sound server's 5, 1.25 of a card's 2.5.
    A ring without load holds two or three."""
    reserve_hops: int = 1
    """Most hops of delay that are added; 0 adds none."""
    starved_xruns: int = 2
    """Xruns within ``starved_s`` in which the loudspeaker's own buffer had run empty that lead to a
    longer one: audio that waits elsewhere is no help there."""
    starved_s: float = 60.0
    most_buffer: int = 4
    """By how much that buffer is made longer at most, in steps of two. Each step is a gap of 0.3 s,
    so none is taken back; 1: none is made."""
    bypass: bool = True
    """Whether the unconverted voice may be passed on where even the smallest tier is too slow."""
    tier_xruns: int = 2
    """Xruns within ``window_s``, despite the reserve, that lead to a smaller tier."""
    bypass_xruns: int = 5
    """Xruns within ``window_s`` on the smallest tier that lead to bypass."""
    worth: float = 0.3
    """Load of the 99th percentile below which xruns do not lead to a smaller tier or to bypass: the
    steps are not what is late."""
    window_s: float = 5.0
    """How long an xrun counts, in s."""
    settle_s: float = 2.5
    """Time after each decision in s before the next: percentiles are of the last second, and a
    larger tier is warmed for a second before it is heard."""
    reserve_s: float = 10.0
    """Calm time in s after which a hop of the reserve is taken back, if the ring never fell so low
    in it that the hop was of use."""
    tier_s: float = 30.0
    """Calm time in s before a larger tier is tried."""
    bypass_s: float = 10.0
    """Time in bypass in s before conversion is tried again."""
    forget_s: float = 300.0
    """A step back up that has to be undone within so many s doubles the next wait for it."""
    longest_s: float = 600.0
    """Longest wait in s."""

    def __post_init__(self) -> None:
        if not 0 < self.calm < self.busy <= 2:
            raise ValueError(
                f"busy is {self.busy:g} and calm {self.calm:g}: calm has to be above 0 and below "
                "busy, busy at most 2"
            )
        if not 0 <= self.reserve_hops <= 8:
            raise ValueError(f"reserve_hops is {self.reserve_hops}, it has to be 0 to 8")


@dataclass(frozen=True)
class GovernorOptions:
    """What the command line says about the governor."""

    enabled: bool
    settings: GovernorSettings

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> GovernorOptions:
        """Return the options that `add_governor_options` parsed."""
        settings = GovernorSettings(
            busy=arguments.busy / 100,
            calm=min(round(arguments.busy * 0.75) / 100, GovernorSettings.calm),
            hot_c=arguments.hot,
            reserve_hops=arguments.extra_delay,
            bypass=not arguments.no_auto_bypass,
        )
        return cls(not arguments.no_governor, settings)


def add_governor_options(parser: argparse.ArgumentParser) -> None:
    """Add the governor's arguments to ``run``."""
    group = parser.add_argument_group("governor (live)")
    group.add_argument(
        "--no-governor", action="store_true",
        help="leave delay, tier and bypass as they are, whatever happens",
    )  # fmt: skip
    group.add_argument(
        "--busy", type=number_within(10, 200, "%"), default=80.0, metavar="PERCENT",
        help="step time of a hop's duration above which it acts, 10 to 200 (default: 80)",
    )  # fmt: skip
    group.add_argument(
        "--hot", type=number_within(30, 120, "degrees"), default=80.0, metavar="C",
        help="temperature in degrees Celsius from which it acts earlier (default: 80)",
    )  # fmt: skip
    group.add_argument(
        "--extra-delay", type=int, choices=range(9), default=1, metavar="HOPS",
        help="most hops of delay that it adds under load, 0 to 8 (default: 1)",
    )  # fmt: skip
    group.add_argument(
        "--no-auto-bypass", action="store_true",
        help="never pass the unconverted voice on, not even where no tier is fast enough",
    )  # fmt: skip

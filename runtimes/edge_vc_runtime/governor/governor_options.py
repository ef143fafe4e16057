"""The governor's limits, and the options that set them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from edge_vc_runtime.option_types import number_within


@dataclass(frozen=True)
class GovernorSettings:
    """When a governor acts. Loads are fractions of a hop's duration: 0.8 is 8 ms of 10."""

    busy: float = 0.8
    """Load above which a step counts as too slow: the rest is for the callbacks, the stages around
    the model, and steps slower than the measured ones."""
    calm: float = 0.6
    """Load below which there is a margin: the gap to ``busy`` avoids flapping at a steady load."""
    hot_busy: float = 0.5
    """Replaces ``busy`` for the median while the processor is hot or throttled: its clock may halve
    at any moment."""
    hot_c: float = 80.0
    """Temperature from which this applies, in degrees Celsius: a Pi throttles at 80 to 85."""
    least_fill: float = 0.5
    """Minimum content of the output ring before a hop is written, in callbacks of the loudspeaker;
    below it, another equally late step would be audible: 2.5 ms of a sound server's 5, 1.25 of a
    card's 2.5. Without load, a ring holds two or three."""
    reserve_hops: int = 1
    """Maximum number of hops of delay to add; 0 adds none."""
    starved_xruns: int = 2
    """Xruns within ``starved_s``, with the loudspeaker's own buffer empty, that lead to a longer
    buffer: audio waiting elsewhere does not help in this case."""
    starved_s: float = 60.0
    most_buffer: int = 4
    """Largest factor by which that buffer is lengthened, doubling each time. Each step is a gap of
    0.3 s, so none is reversed; 1: no steps."""
    bypass: bool = True
    """Whether the unconverted voice may be output if even the smallest tier is too slow."""
    tier_xruns: int = 2
    """Xruns within ``window_s``, despite the reserve, that lead to a smaller tier."""
    bypass_xruns: int = 5
    """Xruns within ``window_s`` on the smallest tier that lead to bypass."""
    worth: float = 0.3
    """Load of the 99th percentile below which xruns do not lead to a smaller tier or to bypass: the
    steps are not the cause."""
    window_s: float = 5.0
    """Time in s for which an xrun counts."""
    settle_s: float = 2.5
    """Minimum time in s between decisions: percentiles cover the last second, and a larger tier is
    warmed up for a second before it is output."""
    reserve_s: float = 10.0
    """Calm period in s after which a hop of the reserve is removed, if the ring never fell low
    enough during it for the hop to be needed."""
    tier_s: float = 30.0
    """Calm period in s before a larger tier is tried."""
    bypass_s: float = 10.0
    """Time in bypass in s before conversion is tried again."""
    forget_s: float = 300.0
    """If a step back up has to be undone within this time in s, the next wait for it doubles."""
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
    """The command line's options for the governor."""

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
        help="never change delay, tier and bypass automatically",
    )  # fmt: skip
    group.add_argument(
        "--busy", type=number_within(10, 200, "%"), default=80.0, metavar="PERCENT",
        help="step time in percent of a hop above which it acts, 10 to 200 (default: 80)",
    )  # fmt: skip
    group.add_argument(
        "--hot", type=number_within(30, 120, "degrees"), default=80.0, metavar="C",
        help="temperature in degrees Celsius from which it acts earlier (default: 80)",
    )  # fmt: skip
    group.add_argument(
        "--extra-delay", type=int, choices=range(9), default=1, metavar="HOPS",
        help="maximum number of hops of delay to add under load, 0 to 8 (default: 1)",
    )  # fmt: skip
    group.add_argument(
        "--no-auto-bypass", action="store_true",
        help="never output the unconverted voice, even if no tier is fast enough",
    )  # fmt: skip

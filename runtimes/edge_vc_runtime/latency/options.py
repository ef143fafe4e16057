"""The options of ``measure-latency``."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from edge_vc_runtime.latency.signals import ProbeSignal, chirp_signal, speech_signal
from edge_vc_runtime.option_types import number_within, whole_within


@dataclass(frozen=True)
class LatencyOptions:
    """Devices, signal and repeats."""

    input: str | None = None
    """Name of the input device; None: the remembered or default one."""
    output: str | None = None
    backend: str = "auto"
    repeats: int = 5
    through: bool = False
    """Whether a voice conversion runs between output and input."""
    own_ms: float | None = None
    """Round trip of the devices alone, to be subtracted."""
    level_db: float = 0.0
    """Gain of the test signal; at 0 dB its peak is at half of full scale."""
    longest_ms: float = 1000.0
    json: bool = False

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> LatencyOptions:
        """Take the parsed options."""
        return cls(
            input=arguments.input,
            output=arguments.output,
            backend=arguments.backend,
            repeats=arguments.repeats,
            through=arguments.through,
            own_ms=arguments.own_ms,
            level_db=arguments.level,
            longest_ms=arguments.longest,
            json=arguments.json,
        )

    @property
    def gain(self) -> float:
        """The gain as a factor."""
        return float(10 ** (self.level_db / 20))

    def signals(self) -> list[ProbeSignal]:
        """Return the signals to play, in order."""
        if self.through:
            return [speech_signal(seed) for seed in range(self.repeats)]
        return [chirp_signal()] * self.repeats


def add_latency_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("--input", metavar="NAME", help="device that records (see `devices`)")
    parser.add_argument("--output", metavar="NAME", help="device that plays (see `devices`)")
    parser.add_argument(
        "--backend", default="auto", metavar="NAME", help="auto or one of {backends}"
    )
    parser.add_argument(
        "--repeats", type=whole_within(1, 100), default=5, metavar="N",
        help="signals to play, 1 to 100 (default: 5)",
    )  # fmt: skip
    parser.add_argument(
        "--through", action="store_true",
        help="measure another program that converts a voice between output and input",
    )  # fmt: skip
    parser.add_argument(
        "--own-ms", type=number_within(0, 5000, "ms"), metavar="MS",
        help="with --through: round trip of this command's own devices in ms, measured before "
        "without --through; it is subtracted",
    )  # fmt: skip
    parser.add_argument(
        "--level", type=number_within(-60, 0, "dB"), default=0.0, metavar="DB",
        help="level of the signal in dB, -60 to 0 (default: 0, a peak of half of full scale)",
    )  # fmt: skip
    parser.add_argument(
        "--longest", type=number_within(50, 5000, "ms"), default=1000.0, metavar="MS",
        help="longest delay to look for in ms, 50 to 5000 (default: 1000)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the result as JSON on stdout")

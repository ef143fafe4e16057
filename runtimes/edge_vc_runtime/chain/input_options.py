"""The options of ``run`` that set a bundle's conditioning inputs: ``--set`` and ``--voice``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from edge_vc_runtime.bundle.input_spec import ModelInputError, find_input
from edge_vc_runtime.chain.aux_stream import open_stream
from edge_vc_runtime.chain.model_inputs import conditioned
from edge_vc_runtime.live.converter import HopConverter
from edge_vc_runtime.session import Session


@dataclass(frozen=True)
class InputOptions:
    """Values as given, by input name."""

    values: Mapping[str, str] = field(default_factory=dict)
    stream: str | None = None
    """``NAME=PLACE``: vectors supplied along with the hops."""

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> InputOptions:
        """Take the parsed options; raises `ModelInputError` for a missing value or a duplicate."""
        return cls(input_values(arguments.voice, arguments.set or ()), arguments.stream)

    def apply(self, converter: object) -> None:
        """Set the inputs; raises `ModelInputError` for an unknown input or an invalid value."""
        known = conditioned(converter)
        for name, value in self.values.items():
            if known is None:
                find_input((), name)
            else:
                known.set(name, value)

    def streamed(self, session: Session) -> HopConverter:
        """Return ``session`` with the requested stream; raises as `open_stream` does."""
        return open_stream(session, self.stream) if self.stream else session


def input_values(voice: str | None, settings: Iterable[str]) -> dict[str, str]:
    """Return the values of ``--voice`` and each ``--set NAME=VALUE`` by input name.

    Raises `ModelInputError` for a missing value and for a duplicate.
    """
    values: dict[str, str] = {}
    for given in (*(() if voice is None else (f"voice={voice}",)), *settings):
        name, equals, value = given.partition("=")
        if not equals:
            raise ModelInputError(f"--set {given!a:.60}: expected NAME=VALUE, as in --set pitch=2")
        if name in values:
            raise ModelInputError(f"{name!a:.42} is given twice; give --voice or --set once for it")
        values[name] = value
    return values


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--voice`` and ``--set``."""
    group = parser.add_argument_group("conditioning inputs (of bundles that have them: `inspect`)")
    group.add_argument(
        "--voice", metavar="NAME",
        help="voice to speak with, or a blend, kathleen:0.7,flemish:0.3 (default: the first)",
    )  # fmt: skip
    group.add_argument(
        "--set", metavar="NAME=VALUE", action="append",
        help="set an input of the model, as in --set pitch=2 (semitones) or --set style=rate:1; "
        "may be given several times (default: the bundle's)",
    )  # fmt: skip
    group.add_argument(
        "--stream", metavar="NAME=PLACE",
        help="feed a stream input: from a .npy file of floats [hops, numbers], one row for each "
        "hop, or a .npz file of times in s and values; live also from unix:SOCKET, datagrams of a "
        "float64 time and float32 numbers (default: zeros, nothing is known)",
    )  # fmt: skip

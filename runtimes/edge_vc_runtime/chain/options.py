"""The options of ``run`` for the chain, derived from the declarations of its parameters."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge_vc_runtime.chain.backing_track import BackingTrack
from edge_vc_runtime.chain.chain import Chain
from edge_vc_runtime.chain.error import ChainError
from edge_vc_runtime.chain.model_inputs import all_parameters
from edge_vc_runtime.chain.parameter import Parameter
from edge_vc_runtime.chain.parameters import DECLARED, Parameters
from edge_vc_runtime.chain.time_stretch import SPEEDS
from edge_vc_runtime.live.converter import HopConverter
from edge_vc_runtime.option_types import number_within

FILE_LOOKAHEAD_MS = 60.0
"""Look-ahead for recordings, where delay does not matter: the gate opens before the word."""


@dataclass(frozen=True)
class ChainOptions:
    """The command line's options for the chain."""

    values: Mapping[str, float] = field(default_factory=dict)
    """The given parameters, by name."""
    backing: str | None = None
    backing_offset_ms: float = 0.0
    lookahead_ms: float | None = None
    speed: float | None = None

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> ChainOptions:
        """Take the parsed options; raises `ChainError` if they are incompatible."""
        given = {p.name: getattr(arguments, _destination(p)) for p in DECLARED}
        options = cls(
            values={name: float(value) for name, value in given.items() if value is not None},
            backing=arguments.backing,
            backing_offset_ms=arguments.backing_offset or 0.0,
            lookahead_ms=arguments.gate_lookahead,
            speed=arguments.speed,
        )
        _check_backing(options, arguments.backing_offset)
        return options

    @property
    def chain_asked(self) -> bool:
        """Whether any chain option is given; recordings only go through the chain if so."""
        return bool(self.values) or self.backing is not None or self.lookahead_ms is not None

    def build(
        self,
        converter: HopConverter,
        live: bool,
        say: Callable[[str], object] = lambda line: None,
    ) -> Chain:
        """Build the chain around a converter; raises `ChainError` or `AudioIOError`.

        ``say`` is called if there was anything unusual about reading the backing track.

        Parameters not given have the default for live conversion or for a recording; for a
        recording only the requested processing is done.
        """
        if live and self.speed is not None:
            raise ChainError("--speed is for recordings: give IN and OUT, or leave it out")
        defaults = {p.name: p.live_default for p in DECLARED if live and p.live_default is not None}
        lookahead_ms = self.lookahead_ms
        if lookahead_ms is None:
            lookahead_ms = FILE_LOOKAHEAD_MS if self.values.get("gate") and not live else 0.0
        return Chain(
            converter,
            Parameters({**defaults, **self.values}, all_parameters(converter)),
            self._load_backing(converter, say),
            lookahead_ms,
        )

    def _load_backing(
        self, converter: HopConverter, say: Callable[[str], object]
    ) -> BackingTrack | None:
        if self.backing is None:
            return None
        track = BackingTrack.load(
            Path(self.backing), converter.sample_rate, converter.hop, self.backing_offset_ms
        )
        if track.notice:
            say(track.notice)
        return track


def add_chain_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for every parameter, and the options that cannot change during a run."""
    group = parser.add_argument_group(
        "voice (live and recordings; a recording is converted as it is unless one is given)"
    )
    for parameter in DECLARED:
        _add_parameter(group, parameter)
    group.add_argument(
        "--gate-lookahead", type=number_within(0, 200, "ms"), metavar="MS",
        help="delay the voice by this many ms so that the gate opens before a word (default: "
        f"0 live, {FILE_LOOKAHEAD_MS:g} for recordings)",
    )  # fmt: skip
    group.add_argument(
        "--backing", metavar="FILE", help="mix in a backing track, in time with the voice"
    )
    group.add_argument(
        "--backing-offset", type=number_within(-3.6e6, 3.6e6, "ms"), metavar="MS",
        help="start the track this many ms after the input; negative cuts its beginning (default: "
        "0)",
    )  # fmt: skip
    group.add_argument(
        "--speed", type=number_within(*SPEEDS, "times"), metavar="X",
        help="recordings only: speed factor, 0.5 to 2, at the same pitch (default: 1)",
    )  # fmt: skip


def _add_parameter(group: argparse._ArgumentGroup, parameter: Parameter) -> None:
    if parameter.switch:
        group.add_argument(
            parameter.option,
            dest=_destination(parameter),
            action=argparse.BooleanOptionalAction,
            help=f"{parameter.help} (default: {_default(parameter)})",
        )
        return
    group.add_argument(
        parameter.option,
        dest=_destination(parameter),
        type=_checked(parameter),
        metavar=parameter.unit.upper() if len(parameter.unit) < 4 else "N",
        help=f"{parameter.help}; {parameter.low:g} to {parameter.high:g} {parameter.unit} "
        f"(default: {_default(parameter)})".replace("%", "%%"),
    )


def _default(parameter: Parameter) -> str:
    words = {0.0: "off", 1.0: "on"} if parameter.switch else {}
    text = words.get(parameter.default, f"{parameter.default:g}")
    if parameter.live_default is None:
        return text
    return f"{words.get(parameter.live_default, f'{parameter.live_default:g}')} live, else {text}"


def _destination(parameter: Parameter) -> str:
    return f"chain_{parameter.name}"


def _checked(parameter: Parameter) -> Callable[[str], float]:
    def check(text: str) -> float:
        try:
            return parameter.check(text)
        except ChainError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return check


def _check_backing(options: ChainOptions, offset: float | None) -> None:
    if options.backing is None and (offset is not None or "backing_gain" in options.values):
        raise ChainError("--backing-offset and --backing-gain need --backing FILE")
    if options.backing is not None and options.speed is not None:
        raise ChainError("--speed would change the backing track's tempo too; give one of them")

"""The options of ``run`` for taps."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Literal, get_args

from edge_vc_runtime.files.output_place import OutputPlace
from edge_vc_runtime.taps.error import TapError
from edge_vc_runtime.taps.kinds import KINDS
from edge_vc_runtime.taps.recognisers import POCKETSPHINX, installed_recogniser

TapStream = Literal["input", "output"]


@dataclass(frozen=True)
class TapChoice:
    """One tap and its file; None prints its lines on the terminal."""

    kind: str
    file: str | None


@dataclass(frozen=True)
class TapOptions:
    """The taps and the stream they receive."""

    taps: tuple[TapChoice, ...] = ()
    stream: TapStream = "output"
    """``output``: the converted voice; ``input``: the microphone."""
    recogniser: str = POCKETSPHINX.name

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> TapOptions:
        """Take the parsed options.

        Raises `TapError` for a kind that is given twice and a recogniser that is not installed.
        """
        taps = tuple(arguments.tap or ())
        names = [tap.kind for tap in taps]
        if len(set(names)) < len(names):
            raise TapError("--tap was given twice with the same kind; give each once")
        if "words" in names:
            installed_recogniser(arguments.recogniser)  # before any sound device is opened
        return cls(taps, arguments.tap_stream, arguments.recogniser)


def add_tap_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--tap``, ``--tap-stream`` and ``--recogniser``."""
    group = parser.add_argument_group("taps (live)")
    kinds = "; ".join(f"{kind.name}: {kind.usage}" for kind in KINDS.values())
    group.add_argument(
        "--tap", action="append", type=TAP, metavar="KIND[=FILE]",
        help=f"write FILE, or lines on the terminal, from a second process ({kinds}); "
        "may be given once per kind",
    )  # fmt: skip
    group.add_argument(
        "--tap-stream", choices=get_args(TapStream), default="output",
        help="input of the taps: the converted voice or the microphone (default: output)",
    )  # fmt: skip
    group.add_argument(
        "--recogniser", default=POCKETSPHINX.name, metavar="NAME",
        help="speech recogniser of --tap words (default: pocketsphinx, American English)",
    )  # fmt: skip


@dataclass(frozen=True)
class TapPlace(OutputPlace):
    """The argument of ``--tap``: a kind, with or without a file."""

    @property
    def __name__(self) -> str:
        return "tap"

    def __call__(self, text: str) -> TapChoice:  # type: ignore[override]
        """Return the choice."""
        kind, equals, file = text.partition("=")
        if kind not in KINDS or (equals and not file):
            names = " or ".join(f"{name}[=FILE]" for name in KINDS)
            raise argparse.ArgumentTypeError(f"{text!r:.60}; it has to be {names}")
        return TapChoice(kind, file or None)

    def named_in(self, value: object) -> tuple[str, ...]:
        """Return the files of the choices."""
        taps = value if isinstance(value, list) else []
        return tuple(tap.file for tap in taps if tap.file)


TAP = TapPlace(stream=True)

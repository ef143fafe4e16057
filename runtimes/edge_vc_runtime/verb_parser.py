"""The parser of a verb: help with examples and exit codes, and options common to several verbs."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeAlias

from edge_vc_runtime.audio.sinks import describe_sinks
from edge_vc_runtime.audio.sources import describe_sources
from edge_vc_runtime.devices.backends import describe_backends
from edge_vc_runtime.engines.registry import engine_kinds
from edge_vc_runtime.message import one_line
from edge_vc_runtime.verbs import EXIT_CODES, VERBS

_REGISTRIES: dict[str, Callable[[], str]] = {
    "{engines}": lambda: ", ".join(engine_kinds()),
    "{sources}": describe_sources,
    "{sinks}": describe_sinks,
    "{backends}": describe_backends,
}
"""Placeholders in help texts, and functions that return their text."""


class VerbParser(argparse.ArgumentParser):
    """Completes help texts only when help is shown, since reading the registries takes a moment."""

    optional_positionals: tuple[str, ...] = ()
    """Positional arguments that may be missing, in order.

    argparse treats those as missing if there is an option between them and the first one.
    """

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse like argparse, then assign remaining arguments to the optional positionals."""
        found, rest = super().parse_known_args(args, namespace)
        for name in self.optional_positionals:
            given = [text for text in rest if text == "-" or not text.startswith("-")]
            if given and getattr(found, name) is None:
                setattr(found, name, given[0])
                rest.remove(given[0])
        return found, rest

    def error(self, message: str) -> NoReturn:
        """Exit with one printable line, without the usage: arguments may contain any bytes."""
        self.exit(2, f"{self.prog}: error: {one_line(message)}; see {self.prog} --help\n")

    def format_help(self) -> str:
        """Return the help with the registries' own descriptions."""
        for action in self._actions:
            for name, describe in _REGISTRIES.items():
                if action.help and name in action.help:
                    action.help = action.help.replace(name, describe())
        return super().format_help()


Commands: TypeAlias = "argparse._SubParsersAction[VerbParser]"  # argparse has no public name


def add_verb(commands: Commands, name: str, text: str, examples: str, prog: str) -> VerbParser:
    """Add a verb from `VERBS` and `EXIT_CODES`; ``{prog}`` in examples is the program's name."""
    lines = textwrap.indent(examples.strip().format(prog=f"{prog} {name}"), "  ")
    parser = commands.add_parser(
        name,
        help=VERBS[name],
        description=textwrap.fill(text, 80),
        epilog=f"examples:\n{lines}\n\nexit codes: {EXIT_CODES[name]}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(parser=parser)
    return parser


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--engine``, ``--threads``, ``--precision`` and ``--tier``."""
    parser.add_argument(
        "--engine",
        default="auto",
        help="auto or one of {engines} (default: auto: the board's, else what `choose` measured)",
    )
    add_threads_option(parser)
    parser.add_argument("--precision", help="int8 or fp32 (default: the bundle's)")
    add_tier_option(parser)


def add_tier_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--tier``."""
    parser.add_argument(
        "--tier", metavar="NAME",
        help="which of a bundle's students, as `inspect` lists them (default: the bundle's)",
    )  # fmt: skip


def add_threads_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--threads``."""
    parser.add_argument(
        "--threads", type=int, metavar="N",
        help="threads of the engine (default: the board profile's, else 1)",
    )  # fmt: skip

"""The board command for one bundle: verbs need no BUNDLE, and without a verb it runs live."""

from __future__ import annotations

from collections.abc import Sequence

from edge_vc_runtime.arguments import build_parser, verb_parser
from edge_vc_runtime.cli import main as board_command
from edge_vc_runtime.verbs import VERBS

_HELP = ("-h", "--help")
_HEADER = """\
{prog} holds the bundle {name} and everything that runs it. Commands that take a BUNDLE use it
automatically: {prog} run --input USB, {prog} profile --seconds 60. Without a command it runs live.
"""


def main(bundle: str, name: str, argv: Sequence[str], prog: str) -> int:
    """Run the board command on the bundle in a file and return its exit code.

    ``name`` is the bundle's name in the help, ``prog`` the name by which the user ran the file.
    """
    if argv and argv[0] in _HELP:
        print(_HEADER.format(prog=prog, name=name))
        build_parser(prog).print_help()
        return 0
    return board_command(with_bundle(bundle, argv), prog=prog)


def with_bundle(bundle: str, argv: Sequence[str]) -> list[str]:
    """Return the arguments with the bundle inserted; without a verb they are those of `run`."""
    words = list(argv)
    if not words or (words[0].startswith("-") and words[0] != "--version"):
        words = ["run", *words]
    verb, rest = words[0], words[1:]
    return [verb, bundle, *rest] if verb in VERBS and _takes_bundle(verb) else words


def _takes_bundle(verb: str) -> bool:
    return any(action.dest == "bundle" for action in verb_parser(verb)._actions)

"""Every verb's parameters as the command lines declare them, outputs among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer

from edge_vc.cli import BOARD_VERBS, HOST_VERBS
from edge_vc.command_line.output import output_place
from edge_vc_runtime.arguments import verb_parser
from edge_vc_runtime.files.output_place import OutputPlace
from edge_vc_runtime.verbs import VERBS


@dataclass(frozen=True)
class DeclaredParameter:
    """One parameter of a verb of ``edge-vc`` or ``edge-vc-rt``."""

    program: str
    verb: str
    """With its subcommand: ``train student``."""
    name: str
    flag: str
    """Empty for a positional argument."""
    text: bool
    """Whether it takes free text or a path, and not a number, a choice or nothing."""
    place: OutputPlace | None

    def __str__(self) -> str:
        return f"{self.program} {self.verb} {self.flag or self.name}"


def declared() -> Iterator[DeclaredParameter]:
    """Yield every parameter of every verb of both programs."""
    for name, (module, _) in HOST_VERBS.items():
        yield from _of_typer(name, typer.main.get_command(import_module(module).app))
    for name in VERBS:
        for program in ("edge-vc-rt", "edge-vc") if name in BOARD_VERBS else ("edge-vc-rt",):
            yield from _of_argparse(program, name)


def _of_typer(verb: str, command: Any) -> Iterator[DeclaredParameter]:
    for name, inner in getattr(command, "commands", {}).items():
        yield from _of_typer(f"{verb} {name}", inner)
    for each in command.params if not hasattr(command, "commands") else ():
        flags = sorted(each.opts, key=len, reverse=True)
        is_option = flags[0].startswith("-")
        kind = str(each.type_descriptor.annotation)
        text = "str" in kind or "Path" in kind
        yield DeclaredParameter(
            "edge-vc", verb, each.name, flags[0] * is_option, text, output_place(each)
        )


def _of_argparse(program: str, verb: str) -> Iterator[DeclaredParameter]:
    for each in verb_parser(verb, program)._actions:
        place = each.type if isinstance(each.type, OutputPlace) else None
        text = each.nargs != 0 and each.choices is None and (each.type in (None, str, place))
        flags = sorted(each.option_strings, key=len, reverse=True)
        yield DeclaredParameter(program, verb, each.dest, flags[0] if flags else "", text, place)

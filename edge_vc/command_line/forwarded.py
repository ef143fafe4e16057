"""Verbs of the host command that are parsed and run by the board's own code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from edge_vc.command_line.errors import error_net
from edge_vc.command_line.verb import PROG


class ForwardedVerb(TyperCommand):
    """A verb of the board command: receives all its arguments unchanged, even ``--help``."""

    def __init__(
        self,
        name: str,
        help: str,
        locate: Callable[[str], object],
        bundles: Callable[[], Iterable[str]],
        elsewhere: Mapping[str, str] | None = None,
    ) -> None:
        """Take the verb's help line, a function that resolves a BUNDLE, and the known names.

        ``elsewhere`` maps options that run the verb on another machine to the modules doing so.
        """
        settings = {
            "allow_extra_args": True,
            "ignore_unknown_options": True,
            "allow_interspersed_args": False,
        }
        self._locate, self._bundles, self._elsewhere = locate, bundles, elsewhere or {}
        super().__init__(
            name, help=help, context_settings=settings, add_help_option=False, rich_markup_mode=None
        )

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Leave everything to the board's parser, except for shell completion."""
        if not extra.get("resilient_parsing"):
            return super().make_context(info_name, args, parent, **extra)
        from edge_vc.command_line.shadow import shadow_command
        from edge_vc_runtime.arguments import verb_parser

        shadow = shadow_command(verb_parser(self.name or "", PROG), self._bundles())
        return shadow.make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep every word, including ``--``, for the board's parser."""
        words = list(args)
        ctx.args = words
        return words

    def invoke(self, ctx: Any) -> Any:
        """Run the board's code and exit with its code."""
        from edge_vc_runtime.cli import main as board

        with error_net(f"{PROG} {self.name}"):
            for flag, module in self._elsewhere.items():
                if any(word.partition("=")[0] == flag for word in ctx.args):
                    raise typer.Exit(import_module(module).run(ctx.args))
            try:
                code = board(
                    [self.name or "", *ctx.args],
                    prog=PROG,
                    locate=lambda given: str(self._locate(given)),
                )
            except SystemExit as ended:
                if not ended.code:  # the help was shown
                    for module in dict.fromkeys(self._elsewhere.values()):
                        typer.echo(import_module(module).HELP.rstrip())
                raise
            raise typer.Exit(code)

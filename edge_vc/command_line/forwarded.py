"""Verbs that the board's own code parses and runs, reached through the host command."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from edge_vc.command_line.errors import error_net
from edge_vc.command_line.verb import PROG


class ForwardedVerb(TyperCommand):
    """A verb of the board command: gets everything after it untouched, ``--help`` included."""

    def __init__(
        self,
        name: str,
        help: str,
        locate: Callable[[str], object],
        bundles: Callable[[], Iterable[str]],
        remote: str | None = None,
    ) -> None:
        """Take a verb's line of help, what turns a BUNDLE into its path, and the known names.

        ``remote`` is the module that runs the verb on a board when it gets ``--remote``.
        """
        settings = {
            "allow_extra_args": True,
            "ignore_unknown_options": True,
            "allow_interspersed_args": False,
        }
        self._locate, self._bundles, self._remote = locate, bundles, remote
        super().__init__(
            name, help=help, context_settings=settings, add_help_option=False, rich_markup_mode=None
        )

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Leave everything to the board's parser, except where a shell asks for completions."""
        if not extra.get("resilient_parsing"):
            return super().make_context(info_name, args, parent, **extra)
        from edge_vc.command_line.shadow import shadow_command
        from edge_vc_runtime.arguments import verb_parser

        shadow = shadow_command(verb_parser(self.name or "", PROG), self._bundles())
        return shadow.make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the board's code and exit with its code."""
        from edge_vc_runtime.cli import main as board

        with error_net(f"{PROG} {self.name}"):
            if self._remote and any(word.partition("=")[0] == "--remote" for word in ctx.args):
                raise typer.Exit(import_module(self._remote).run(ctx.args))
            try:
                code = board(
                    [self.name or "", *ctx.args],
                    prog=PROG,
                    locate=lambda given: str(self._locate(given)),
                )
            except SystemExit as ended:
                if self._remote and not ended.code:  # the help was shown
                    typer.echo(import_module(self._remote).HELP.rstrip())
                raise
            raise typer.Exit(code)

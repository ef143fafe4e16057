"""Verbs that the board's own code parses and runs, reached through the host command."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

from edge_vc.command_line.verb import PROG


class ForwardedVerb(TyperCommand):
    """A verb of the board command: gets everything after it untouched, ``--help`` included."""

    def __init__(self, name: str, help: str) -> None:
        settings = {
            "allow_extra_args": True,
            "ignore_unknown_options": True,
            "allow_interspersed_args": False,
        }
        super().__init__(
            name, help=help, context_settings=settings, add_help_option=False, rich_markup_mode=None
        )

    def invoke(self, ctx: Any) -> Any:
        """Run the board's code and exit with its code."""
        from edge_vc_runtime.cli import main as board

        raise typer.Exit(board([self.name or "", *ctx.args], prog=PROG))

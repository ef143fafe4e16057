"""``edge-vc boards``: the known boards, one board's profile."""

from __future__ import annotations

from typing import Annotated

import typer

from edge_vc.command_line.verb import Verb, notes, verb_app
from edge_vc_boards.descriptions import board_table, describe_board
from edge_vc_boards.profile_folder import board_names, load_board, load_boards, profile_path

HELP = """List the known boards, or show one board's profile with the source of its figures.

A profile is one TOML file: what the processor is, which systems its users have, which engine and
precision run by default, where temperature and throttling are read, and how it is emulated. Your
own go into $XDG_CONFIG_HOME/edge-vc/boards (~/.config/edge-vc/boards), one NAME.toml per board.
"""
NOTES = notes(
    """
edge-vc boards
edge-vc boards pi4
cp "$(edge-vc boards --path pi4)" ~/.config/edge-vc/boards/mine.toml
    a profile to start from; it has to say name = "mine"
""",
    "0 done, 2 no such board or a profile that is not valid",
)

app = verb_app()


@app.command("boards", cls=Verb, help=HELP, epilog=NOTES)
def boards(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="The board to show.",
            show_default="all",
            autocompletion=lambda: list(board_names()),
        ),
    ] = None,
    path: Annotated[
        bool, typer.Option("--path", help="Print the file of NAME's profile instead.")
    ] = False,
) -> None:
    """See `HELP`."""
    if name is None:
        lines = board_table(load_boards())
    else:
        board = load_board(name)
        lines = [profile_path(board.name)] if path else describe_board(board)
    for line in lines:
        typer.echo(line)

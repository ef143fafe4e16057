"""``edge-vc wheels``: the wheels that a board needs, listed or collected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_vc.command_line.verb import Verb, notes, verb_app
from edge_vc_boards.fetch import fetch_wheels
from edge_vc_boards.profile_folder import board_names, load_board
from edge_vc_boards.requirements import wheel_set

HELP = """List the wheels that a board needs, as a requirements file, or collect them in a folder.

With --into, they are downloaded for the board's processor, Python and glibc, so that the board
needs no network.
"""
NOTES = notes(
    """
edge-vc wheels pi4 > requirements.txt
edge-vc wheels pi5 --system trixie --into wheels/
edge-vc wheels pi4 --engine onnx --python 3.12
""",
    "0 done, 2 no such board, system, engine or Python, or a wheel that cannot be had; 130 Ctrl-C",
)

app = verb_app()


@app.command("wheels", cls=Verb, help=HELP, epilog=NOTES)
def wheels(
    board: Annotated[
        str,
        typer.Argument(
            metavar="BOARD",
            help="A board of `edge-vc boards`.",
            show_default=False,
            autocompletion=lambda: list(board_names()),
        ),
    ],
    system: Annotated[
        str | None,
        typer.Option(help="Its operating system, e.g. trixie.", show_default="the board's first"),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            help="Download them into this folder; the wheel of edge-vc-runtime has to lie there "
            "(`make wheels` builds it)."
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(help="The engine, e.g. onnx.", show_default="the board's"),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(help="A Python beside the system's own, e.g. 3.12.", show_default="its own"),
    ] = None,
) -> None:
    """See `HELP`."""
    chosen = wheel_set(load_board(board), engine, python, system)
    for line in chosen.lines() if into is None else fetch_wheels(chosen, into):
        typer.echo(str(line))

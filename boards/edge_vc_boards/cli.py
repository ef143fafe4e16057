"""``edge-vc boards``: the known boards, one board's profile, the wheels that a board needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_vc.command_line.errors import InputError
from edge_vc.command_line.verb import Verb, notes, verb_app
from edge_vc_boards.board import board_names, load_board, load_boards
from edge_vc_boards.descriptions import board_table, describe_board

HELP = """List the known boards, show one board's profile, or list the wheels that it needs.

A profile is one TOML file: what the processor is, what its users' system is, which engine and
precision run by default, where temperature and throttling are read, and how it is emulated.
"""
NOTES = notes(
    """
edge-vc boards
edge-vc boards pi4
edge-vc boards pi4 --wheels > requirements.txt
edge-vc boards pi4 --wheels --engine onnx --python 3.13
edge-vc boards pi4 --wheels --into wheels/
""",
    "0 done, 2 no such board, engine or Python",
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
    wheels: Annotated[
        bool,
        typer.Option("--wheels", help="Print a requirements file with the wheels for the board."),
    ] = False,
    into: Annotated[
        Path | None,
        typer.Option(
            help="With --wheels: download them into this folder, for a board without a network; "
            "the wheel of edge-vc-runtime has to lie there (`make wheels` builds it)."
        ),
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="With --wheels: an engine that is not the board's default.")
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(help="With --wheels: a Python version that is not the board's, such as 3.13."),
    ] = None,
) -> None:
    """See `HELP`."""
    if not wheels and (engine or python or into):
        raise InputError("--engine, --python and --into belong to --wheels; add it")
    if name is None and wheels:
        raise InputError(f"--wheels needs a board: one of {', '.join(board_names())}")
    if name is not None and into is not None:
        from edge_vc_boards.fetch import fetch_wheels
        from edge_vc_boards.requirements import wheel_set

        for path in fetch_wheels(wheel_set(load_board(name), engine, python), into):
            typer.echo(str(path))
        return
    for line in _lines(name, wheels, engine, python):
        typer.echo(line)


def _lines(name: str | None, wheels: bool, engine: str | None, python: str | None) -> list[str]:
    if name is None:
        return board_table(load_boards())
    board = load_board(name)
    if not wheels:
        return describe_board(board)
    from edge_vc_boards.requirements import wheel_set

    return list(wheel_set(board, engine, python).lines())

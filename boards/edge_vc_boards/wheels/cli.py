"""``edge-vc wheels``: the wheels that a board needs, listed or collected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_vc.command_line.output import output_option
from edge_vc.command_line.verb import Verb, notes, verb_app
from edge_vc_boards.profile_folder import board_names, load_board
from edge_vc_boards.wheels.collect import collect_wheels
from edge_vc_boards.wheels.requirements import wheel_set
from edge_vc_runtime.files.output_kinds import FOLDER
from edge_vc_runtime.message import printable, shown_path

HELP = """List the wheels that a board needs, as a requirements file, or collect them in a folder.

With --into, they are downloaded for the board's processor, Python and glibc, so that the board
needs no network: numpy, the engine, soundfile, soxr and edge-vc-runtime. PyAudio has no wheels for
aarch64; it is compiled here, once, with PortAudio linked in (Debian on x86-64, Python 3.11 and
3.13). If that is not possible, python-sounddevice takes its place and a line says why. wheels.json
lists every file with its SHA-256; requirements.txt makes pip check them.
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
        output_option(
            FOLDER,
            help="Collect them in this folder; existing unchanged files are not fetched again.",
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(help="The engine, e.g. onnx.", show_default="the board's"),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(help="A Python other than the system's, e.g. 3.12.", show_default="its own"),
    ] = None,
) -> None:
    """See `HELP`."""
    chosen = wheel_set(load_board(board), engine, python, system)
    if into is None:
        typer.echo("\n".join(chosen.lines()))
        return
    made = collect_wheels(chosen, into, lambda line: typer.echo(printable(line), err=True))
    for wheel in made.wheels:
        typer.echo(shown_path(into / wheel.file), color=True)
    if made.note:
        typer.echo(printable(f"note: {made.note}"), err=True)

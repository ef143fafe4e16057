"""``edge-vc emulate``: run a command as if on a board, or make the arm64 root it requires."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from edge_vc.command_line.output import output_option
from edge_vc.command_line.verb import Verb, VerbGroup, notes, verb_app
from edge_vc_boards.emulation.root import default_root, make_root
from edge_vc_boards.emulation.run import SHARE, run_on, tried_on
from edge_vc_boards.profile_folder import board_names, load_board
from edge_vc_runtime.files.output_kinds import FOLDER
from edge_vc_runtime.message import printable

HELP = """Run a command as if on a board: QEMU user emulation in a small arm64 root.

Kernels, values and instruction counts are those of the core that QEMU models. Times are not:
nothing here says how long anything takes on a board; `edge-vc profile --emulate` estimates it from
the counts. Needs Debian on x86-64, gcc, and user namespaces or root rights.
"""
SETUP_NOTES = notes(
    """
edge-vc emulate setup
    half a minute, once; 300 MB in $EVC_ARM64_ROOT or ~/.cache/edge-vc/arm64-root
edge-vc emulate setup --board pi4
    the same, then the wheels of its engines are loaded once as on a Pi 4
""",
    "0 done, 2 this machine cannot make it, 130 Ctrl-C",
)
RUN_NOTES = notes(
    f"""
edge-vc emulate run pi4 -- python3 -c 'import platform; print(platform.machine())'
edge-vc emulate run pi5 --share edge_vc/assets -- \\
    python3 -m edge_vc_runtime inspect {SHARE}/kathleen-base.evc --check
    the bundle's golden recording, replayed by the kernels of a Pi 5
""",
    "the command's own; 2 no such board or no root, 130 Ctrl-C",
)

app = verb_app(cls=VerbGroup, no_args_is_help=True)
_ROOT: dict[str, Any] = {
    "help": "The arm64 root.",
    "default_factory": default_root,
    "show_default": "$EVC_ARM64_ROOT or ~/.cache/edge-vc/arm64-root",
}
Root = Annotated[Path, typer.Option(**_ROOT)]
NewRoot = Annotated[Path, output_option(FOLDER, **_ROOT)]


@app.callback(help=HELP)
def emulate() -> None:
    """See `HELP`."""


@app.command("setup", cls=Verb, epilog=SETUP_NOTES)
def setup(
    root: NewRoot,
    board: Annotated[
        str | None, typer.Option(help="Board to try it as.", metavar="BOARD", show_default=False)
    ] = None,
) -> None:
    """Make the arm64 root unless it exists; an interrupted download is resumed."""
    chosen = load_board(board) if board else None
    if chosen:
        chosen.processor()  # fail before half a minute of downloads
    made = make_root(root, _say)
    _say(f"{root}: {'made' if made else 'is there already'}")
    if chosen:
        _say(f"{chosen.name}: {tried_on(chosen, root)}")


@app.command("make", hidden=True, cls=Verb)
def make(root: NewRoot) -> None:
    """Make the arm64 root; the name that ``setup`` had in version 0.1."""
    setup(root)


def _say(line: str) -> None:
    typer.echo(printable(line), err=True)


class EmulatedVerb(Verb):
    """A verb whose stdout is that of the command it runs."""

    passes_stdout = True


@app.command("run", cls=EmulatedVerb, epilog=RUN_NOTES)
def run(
    board: Annotated[
        str,
        typer.Argument(
            help=f"One of {', '.join(board_names())}.",
            metavar="BOARD",
            show_default=False,
            autocompletion=lambda: list(board_names()),
        ),
    ],
    command: Annotated[
        list[str],
        typer.Argument(help="What to run, after --.", metavar="COMMAND", show_default=False),
    ],
    root: Root,
    share: Annotated[
        Path | None, typer.Option(help=f"Folder that the command sees as {SHARE}.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds that the command may take.")] = 3600.0,
) -> None:
    """Run a command as if on a board and exit with its code."""
    done = run_on(
        load_board(board), command, root=root, share=share, capture=False, timeout_s=timeout
    )
    raise typer.Exit(done.code)

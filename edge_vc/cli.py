"""The host command ``edge-vc``: all verbs, each loaded only when it is called."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import typer

from edge_vc import __version__
from edge_vc.assets import bundle_names, find_bundle
from edge_vc.command_line.forwarded import ForwardedVerb
from edge_vc.command_line.verb import PROG, LazyVerb, VerbGroup, from_module, verb_app
from edge_vc.threads import yield_when_idle
from edge_vc_runtime.streams import open_streams
from edge_vc_runtime.verbs import VERBS

HELP = "Compress a voice-conversion teacher, run it and profile where every millisecond goes."
EPILOG = """Every verb has its own help: edge-vc compress --help

EDGE_VC_DEBUG=1 shows the traceback of an error.
"""
HOST_VERBS = {
    "prepare": ("edge_vc.prepare.cli", "Turn recordings into a corpus for training."),
    "label": ("edge_vc.labelling.cli", "Let a teacher convert a corpus for a student to learn."),
    "compress": ("edge_vc.compress.cli", "Prune, distil, quantise and export, by a recipe."),
    "train": ("edge_vc.training.cli", "Train a teacher, or a student from scratch."),
    "export": ("edge_vc_export.cli", "Write a bundle from a compression run, or unpack one."),
    "keys": ("edge_vc_export.signing.keys_cli", "Make keys for signing bundles, or list them."),
    "sign": ("edge_vc_export.signing.sign_cli", "Sign a bundle with OpenSSH."),
    "evaluate": ("edge_vc.evaluate.cli", "Score converted speech: voice, words, prosody, quality."),
    "report": ("edge_vc.evaluate.report.cli", "Show a profile; make a page of an evaluation."),
    "quickstart": ("edge_vc.quickstart", "Teacher to bundle to profile in a few minutes."),
    "serve": ("edge_vc.serve.cli", "Convert a browser's microphone, and recordings, on a page."),
    "bundles": ("edge_vc.assets.cli", "List the shipped bundles."),
    "boards": ("edge_vc_boards.cli", "Show the known boards."),
    "wheels": ("edge_vc_boards.wheels.cli", "List or collect the wheels that a board needs."),
    "flash": ("edge_vc_boards.flash.cli", "Put a bundle on a board over SSH, with a way back."),
    "target-voice": ("edge_vc.evaluate.target_voice_cli", "Embed the target for evaluation."),
    "emulate": ("edge_vc_boards.emulation.cli", "Run a command as if on a board, in QEMU."),
}
"""Verbs with a Typer application of their own: module and one-line help."""
BOARD_VERBS = {name: help for name, help in VERBS.items() if name != "report"}
"""Verbs of the board command, implemented by the board's own code."""

ELSEWHERE = {
    "profile": {
        "--remote": "edge_vc_boards.flash.remote_profile",
        "--emulate": "edge_vc_boards.emulation.estimated_profile",
        "--board": "edge_vc_boards.emulation.estimated_profile",
    },
    "validate": {"--remote": "edge_vc_boards.flash.remote_validate"},
}
"""Options that run a board verb on a real or emulated board, and the modules implementing them."""


class HostVerbs(VerbGroup):
    """The verbs of ``edge-vc``."""

    verbs = {
        name: partial(LazyVerb, name, help, from_module(module))
        for name, (module, help) in HOST_VERBS.items()
    } | {
        name: partial(ForwardedVerb, name, help, find_bundle, bundle_names, ELSEWHERE.get(name))
        for name, help in BOARD_VERBS.items()
    }


app = verb_app(name=PROG, cls=HostVerbs, no_args_is_help=True, add_completion=True)


def main(**settings: Any) -> None:
    """Run the command line and exit with its code."""
    open_streams()
    yield_when_idle()
    # numba's colours come from colorama, which writes at exit to the stdout it saw on import: if
    # that was a temporary replacement during a long step, it is closed by then.
    os.environ.setdefault("NUMBA_DISABLE_ERROR_MESSAGE_HIGHLIGHTING", "1")
    app(prog_name=PROG, **settings)


@app.callback(invoke_without_command=True, help=HELP, epilog=EPILOG)
def edge_vc(
    show: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """Print the version if requested."""
    if show:
        typer.echo(f"{PROG} {__version__}")
        raise typer.Exit

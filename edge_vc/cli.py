"""The host command ``edge-vc``: every verb in one place, each loaded only when it is called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import typer

from edge_vc import __version__
from edge_vc_runtime.verbs import VERBS

HOST_VERBS = {
    "prepare": ("edge_vc.prepare.cli", "Turn recordings into a corpus for training."),
    "label": ("edge_vc.labelling.cli", "Let a teacher convert recordings, to learn from."),
    "compress": ("edge_vc.compress.cli", "Prune, distil, quantise and export, by a recipe."),
    "export": ("edge_vc_export.cli", "Write a bundle from a compression run, or take one apart."),
    "evaluate": ("edge_vc.evaluate.cli", "Score converted speech: voice, words, melody, sound."),
    "report": ("edge_vc.evaluate.report.cli", "Show a profile; make a page of an evaluation."),
}
"""Verbs with a Typer application of their own: where it lies and what it does."""
BOARD_VERBS = {name: help for name, help in VERBS.items() if name != "report"}
"""Verbs of the board command, run by the board's own code."""

app = typer.Typer(
    help="Makes a voice-conversion teacher small, runs it and shows where every millisecond goes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line and exit with its code."""
    app()


@app.callback(invoke_without_command=True)
def version(
    show: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """Makes a voice-conversion teacher small, runs it and shows where every millisecond goes."""
    if show:
        typer.echo(f"edge-vc {__version__}")
        raise typer.Exit


def _add_verb(name: str, help: str, call: Callable[[list[str]], None]) -> None:
    """Add a verb that gets everything after it untouched, its ``--help`` included."""

    def verb(context: typer.Context) -> None:
        call(context.args)

    settings = {
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    }
    app.command(name, help=help, context_settings=settings, add_help_option=False)(verb)


def _host(name: str, module: str) -> Callable[[list[str]], None]:
    def call(arguments: list[str]) -> None:
        import_module(module).app(args=arguments, prog_name=f"edge-vc {name}")

    return call


def _board(name: str) -> Callable[[list[str]], None]:
    def call(arguments: list[str]) -> None:
        from edge_vc_runtime.cli import main as board

        raise typer.Exit(board([name, *arguments], prog="edge-vc"))

    return call


for _name, (_module, _help) in HOST_VERBS.items():
    _add_verb(_name, _help, _host(_name, _module))
for _name, _help in BOARD_VERBS.items():
    _add_verb(_name, _help, _board(_name))

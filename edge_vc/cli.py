"""The host command ``edge-vc``: every verb in one place, each loaded only when it is called."""

from __future__ import annotations

import typer

from edge_vc import __version__

app = typer.Typer(
    help="Makes a voice-conversion teacher small, runs it and shows where every millisecond goes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

# Everything after the verb belongs to the verb, its --help included.
_VERB = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}


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


@app.command(context_settings=_VERB, add_help_option=False)
def compress(context: typer.Context) -> None:
    """Prune, distil, quantise and export a student, by a recipe."""
    from edge_vc.compress.cli import app as verb

    verb(args=context.args, prog_name="edge-vc compress")


@app.command(context_settings=_VERB, add_help_option=False)
def run(context: typer.Context) -> None:
    """Convert a recording, or raw audio on stdin, with a bundle."""
    _board("run", context)


@app.command(context_settings=_VERB, add_help_option=False)
def profile(context: typer.Context) -> None:
    """Measure a bundle on this machine."""
    _board("profile", context)


@app.command(context_settings=_VERB, add_help_option=False)
def inspect(context: typer.Context) -> None:
    """Check a bundle and say what is in it."""
    _board("inspect", context)


@app.command(context_settings=_VERB, add_help_option=False)
def report(context: typer.Context) -> None:
    """Show a saved profile."""
    _board("report", context)


def _board(verb: str, context: typer.Context) -> None:
    """Run the board's own code, so that both commands do the same."""
    from edge_vc_runtime.cli import main as board

    raise typer.Exit(board([verb, *context.args], prog="edge-vc"))

"""``edge-vc report``: show a saved profile as a table, or a saved evaluation as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_vc.command_line.errors import InputError
from edge_vc.command_line.output import output_option
from edge_vc.command_line.verb import PROG, Verb, notes, verb_app
from edge_vc_runtime.files.output_kinds import HTML_PAGE, JSON_REPORT, PNG_PICTURE
from edge_vc_runtime.message import printable

HELP = """Show a saved profile as a table, or turn a saved evaluation into one HTML page."""
NOTES = notes(
    """
edge-vc report profile.json --png profile.png
edge-vc report evaluation.json -o page.html
edge-vc report evaluation.json -o page.html --run runs/base --sentences 8
""",
    "0 done, 2 not a report, or an option for the other kind",
)

app = verb_app()


@app.command("report", cls=Verb, help=HELP, epilog=NOTES)
def report_command(
    report: Annotated[
        Path,
        typer.Argument(
            help="File written by `profile --json` or `evaluate --json`; detected by content.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        output_option(HTML_PAGE, "--output", "-o", help="Evaluation: write the page here."),
    ] = None,
    run: Annotated[
        list[Path] | None,
        typer.Option(help="Evaluation: show curves and stages of a run's folder or log."),
    ] = None,
    audio: Annotated[
        Path | None,
        typer.Option(help="Evaluation: folder of the saved audio, if it is not beside the file."),
    ] = None,
    sentences: Annotated[
        int, typer.Option(help="Evaluation: number of sentences to listen to, if they fit.")
    ] = 6,
    json: Annotated[
        Path | None,
        output_option(JSON_REPORT, help="Profile: write it here again; - for stdout, no table."),
    ] = None,
    png: Annotated[
        Path | None, output_option(PNG_PICTURE, help="Profile: draw the histograms here.")
    ] = None,
) -> None:
    """Show a profile as a table; show an evaluation as a table and write it as one HTML page."""
    from edge_vc.evaluate.report.reader import looks_like_evaluation

    if not report.is_file():
        raise InputError(f"{report}: {'is not a file' if report.exists() else 'No such file'}")
    if looks_like_evaluation(report):
        _refuse("an evaluation", {"--json": json, "--png": png})
        _show_evaluation(report, output, run or [], audio, sentences)
        return
    _refuse_others(report)
    _refuse("no evaluation", {"--output": output, "--run": run, "--audio": audio})
    from edge_vc_runtime.cli import main as board

    options = [("--json", json), ("--png", png)]
    words = [word for name, value in options if value is not None for word in (name, str(value))]
    raise typer.Exit(board(["report", str(report), *words], prog=PROG))


def _refuse(kind: str, options: dict[str, object]) -> None:
    for name, value in options.items():
        if value:
            raise InputError(f"{name} cannot be used: the file is {kind}")


def _refuse_others(report: Path) -> None:
    """Raise `InputError` for JSON written by neither `profile` nor `evaluate`."""
    from edge_vc.evaluate.report.reader import other_kind

    other = other_kind(report)
    if other:
        raise InputError(f"{report}: is neither a profile nor an evaluation, but {other}")


def _show_evaluation(
    report: Path, output: Path | None, runs: list[Path], audio: Path | None, sentences: int
) -> None:
    # Heavy imports are deferred until a page is needed.
    from rich.console import Console

    from edge_vc.command_line.steps import Steps, stderr_console
    from edge_vc.evaluate.report.page.page import PageOptions, write_page
    from edge_vc.evaluate.report.page.run_log import read_run
    from edge_vc.evaluate.report.reader import read_evaluation
    from edge_vc.evaluate.report.tables import overview_table

    made = read_evaluation(report)
    folder = audio or (report.parent / made.audio if made.audio else None)
    options = PageOptions(folder, sentences, tuple(read_run(path) for path in runs))
    if output is not None:
        with Steps(stderr_console(), "sentences") as steps:
            write_page(made, output, options, steps.push("page"))
    console = Console(markup=False)
    console.print(overview_table(made, console.width))
    if output is not None:
        size = output.stat().st_size / 1e6
        typer.echo(printable(f"wrote {output}, {size:.1f} MB"), err=True)

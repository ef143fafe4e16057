"""``edge-vc report``: a saved profile as a table, a saved evaluation as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """Examples:

\b
edge-vc report profile.json --png profile.png

\b
edge-vc report evaluation.json -o page.html
edge-vc report evaluation.json -o page.html --run runs/base --sentences 8
"""

app = typer.Typer(
    help="Show a saved profile, or make a page of a saved evaluation.",
    context_settings={"allow_interspersed_args": True},
    subcommand_metavar="",
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True, epilog=EXAMPLES)
def report_command(
    report: Annotated[
        Path,
        typer.Argument(
            help="What `profile --json` or `evaluate --json` wrote; told apart by content.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Evaluation: write the page here.")
    ] = None,
    run: Annotated[
        list[Path] | None,
        typer.Option(help="Evaluation: show curves and stages of a run's folder or log."),
    ] = None,
    audio: Annotated[
        Path | None,
        typer.Option(help="Evaluation: folder of the kept audio, where it is not beside the file."),
    ] = None,
    sentences: Annotated[
        int, typer.Option(help="Evaluation: sentences to listen to, where they fit.")
    ] = 6,
    json: Annotated[
        str | None, typer.Option(help="Profile: write it here again; - for stdout, no table.")
    ] = None,
    png: Annotated[str | None, typer.Option(help="Profile: draw the histograms here.")] = None,
) -> None:
    """Show a profile as a table; show an evaluation as a table and write it as one HTML page."""
    from edge_vc.evaluate.report.reader import looks_like_evaluation

    if looks_like_evaluation(report):
        _refuse("an evaluation", {"--json": json, "--png": png})
        _show_evaluation(report, output, run or [], audio, sentences)
        return
    _refuse("no evaluation", {"--output": output, "--run": run, "--audio": audio})
    from edge_vc_runtime.cli import main as board

    options = [("--json", json), ("--png", png)]
    words = [word for name, value in options if value is not None for word in (name, value)]
    raise typer.Exit(board(["report", str(report), *words], prog="edge-vc"))


def _refuse(kind: str, options: dict[str, object]) -> None:
    for name, value in options.items():
        if value:
            typer.echo(f"error: {name} is of no use, the file is {kind}", err=True)
            raise typer.Exit(2)


def _show_evaluation(
    report: Path, output: Path | None, runs: list[Path], audio: Path | None, sentences: int
) -> None:
    # Heavy imports wait until somebody wants a page.
    from rich.console import Console
    from rich.progress import Progress

    from edge_vc.evaluate.report.page.page import PageOptions, write_page
    from edge_vc.evaluate.report.page.run_log import read_run
    from edge_vc.evaluate.report.reader import read_evaluation
    from edge_vc.evaluate.report.tables import overview_table
    from edge_vc.settings.optional import EvaluationError

    console = Console()
    try:
        made = read_evaluation(report)
        folder = audio or (report.parent / made.audio if made.audio else None)
        options = PageOptions(folder, sentences, tuple(read_run(path) for path in runs))
        if output is not None:
            with Progress(console=console, transient=True) as bar:
                task = bar.add_task("sentences", total=None)
                write_page(
                    made,
                    output,
                    options,
                    lambda done, total: bar.update(task, completed=done, total=total),
                )
    except EvaluationError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    console.print(overview_table(made, console.width))
    if output is not None:
        megabytes = output.stat().st_size / 1e6
        console.print(f"wrote {output}, {megabytes:.1f} MB", highlight=False)

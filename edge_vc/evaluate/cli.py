"""``edge-vc evaluate``: systems on unseen speakers, as a table and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """Examples:

\b
edge-vc evaluate source teacher kathleen-base.evc --corpus corpus/eval

\b
edge-vc evaluate teacher wide=student.safetensors base.evc --corpus corpus/eval
    --json out/evaluation.json --audio out/audio --jobs 2 --noise-db 10

\b
edge-vc evaluate rvc=converted/ teacher --corpus corpus/eval --against teacher

\b
edge-vc report out/evaluation.json -o out/page.html
"""

# A group without subcommands, so that it mounts under its own name; options may come last.
app = typer.Typer(
    help="Measure whose voice converted speech has, what can be understood and how it sounds.",
    context_settings={"allow_interspersed_args": True},
    subcommand_metavar="",
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True, epilog=EXAMPLES)
def evaluate_command(
    systems: Annotated[
        list[str],
        typer.Argument(
            help="source, teacher, BUNDLE.evc, teacher or student weights (.safetensors), another "
            "teacher (.onnx, .pt2, recipe.toml), or a folder of converted files (flat or train/ "
            "val/ dev/); NAME=PATH gives a name",
            show_default=False,
        ),
    ],
    corpus: Annotated[
        Path, typer.Option(help="Folder with metadata.csv and the roles of an evaluation.")
    ],
    per_speaker: Annotated[
        int | None, typer.Option(help="Sentences per source speaker; all when not given.")
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            help="Compare all others with this system; may be repeated. Without: students with "
            "the teacher, INT8 with fp32.",
        ),
    ] = None,
    noise_db: Annotated[
        float | None,
        typer.Option(help="Also with babble and with shaped noise at this SNR in dB."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes; the result is the same.")] = 1,
    audio: Annotated[
        Path | None, typer.Option(help="Keep the converted audio in this folder.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the whole report here.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Write a PNG of the first sentence's spectrograms here.")
    ] = None,
) -> None:
    """Convert unseen speakers with every system and measure the results."""
    # Heavy imports wait until somebody evaluates.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from edge_vc.audio.io import AudioError
    from edge_vc.data.corpus import CorpusError
    from edge_vc.evaluate.evaluation import EvaluationOptions, evaluate, with_audio_beside
    from edge_vc.evaluate.report.spectrogram import plot_first_sentence
    from edge_vc.evaluate.report.tables import all_tables
    from edge_vc.evaluate.systems.systems import load_systems
    from edge_vc.settings.optional import EvaluationError
    from edge_vc_runtime.bundle.manifest import BundleError
    from edge_vc_runtime.engines import EngineError

    console = Console()
    columns = (
        TextColumn("evaluate"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("recordings,"),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    options = EvaluationOptions(per_speaker, noise_db, tuple(against or ()), audio, jobs)
    try:
        loaded = [
            system
            for what in systems
            for system in load_systems(what, lambda line: typer.echo(line, err=True))
        ]
        for path in filter(None, (json, plot)):
            _check_place(path)
        with Progress(*columns, console=console, transient=True) as bar:
            report = evaluate(
                loaded,
                corpus,
                options,
                lambda items, total, label: bar.track(items, total, description=label),
            )
        if plot is not None:
            plot_first_sentence(loaded, corpus, plot)
    except (EvaluationError, CorpusError, AudioError, BundleError, EngineError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    if json is not None:  # before the tables: a pipe may close on those
        with_audio_beside(report, json).save(json)
    for table in all_tables(report, console.width):
        console.print(table)
    if json is not None:
        console.print(f"wrote {json}", highlight=False)
    if audio is not None:
        console.print(f"kept the audio in {audio}", highlight=False)


def _check_place(path: Path) -> None:
    """Find out before the long work that a file cannot be written after it."""
    if not path.absolute().parent.is_dir():
        typer.echo(f"error: {path}: its folder does not exist; make it first", err=True)
        raise typer.Exit(2)

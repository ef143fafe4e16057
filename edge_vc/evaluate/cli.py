"""``edge-vc evaluate``: contenders on unseen speakers, as a table and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# A group without subcommands, so that it mounts under its own name; options may come last.
app = typer.Typer(
    help="Measure whose voice converted speech has and what can be understood.",
    context_settings={"allow_interspersed_args": True},
    subcommand_metavar="",
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def evaluate_command(
    contenders: Annotated[
        list[str],
        typer.Argument(
            help="source, teacher, BUNDLE.evc, teacher weights, or a folder of converted files",
            show_default=False,
        ),
    ],
    corpus: Annotated[
        Path, typer.Option(help="Folder with metadata.csv and the roles of an evaluation.")
    ],
    per_speaker: Annotated[
        int | None, typer.Option(help="Sentences per source speaker; all when not given.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the whole report here.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Write a PNG of the first sentence's spectrograms here.")
    ] = None,
) -> None:
    """Convert unseen speakers with every contender and score similarity and intelligibility."""
    # Heavy imports wait until somebody evaluates.
    from rich.console import Console
    from rich.progress import Progress

    from edge_vc.audio.io import AudioError
    from edge_vc.data.corpus import CorpusError
    from edge_vc.evaluate.contenders import Contender, load_contenders
    from edge_vc.evaluate.evaluation import evaluate
    from edge_vc.evaluate.requirements import EvaluationError
    from edge_vc.evaluate.spectrogram import plot_first_sentence
    from edge_vc.evaluate.tables import overview_table, speaker_table
    from edge_vc_runtime.engines import EngineError
    from edge_vc_runtime.manifest import BundleError

    console = Console()
    try:
        loaded: dict[str, Contender] = {}
        for what in contenders:
            loaded |= load_contenders(what)
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("evaluate", total=None)
            report = evaluate(
                loaded,
                corpus,
                per_speaker,
                lambda done, total: bar.update(task, completed=done, total=total),
            )
        if plot is not None:
            plot_first_sentence(loaded, corpus, plot)
    except (EvaluationError, CorpusError, AudioError, BundleError, EngineError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    console.print(overview_table(report))
    console.print(speaker_table(report))
    if json is not None:
        report.save(json)
        console.print(f"wrote {json}")

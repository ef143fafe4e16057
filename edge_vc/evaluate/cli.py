"""``edge-vc evaluate``: score systems on unseen speakers, as a table and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_vc.command_line.left_out import exit_for_left_out, name_left_out
from edge_vc.command_line.notices import name_notices
from edge_vc.command_line.output import output_option
from edge_vc.command_line.verb import Verb, notes, verb_app
from edge_vc.evaluate.plugins import import_plugins, show_metrics
from edge_vc_runtime.files.output_kinds import FOLDER, JSON_FILE, PNG_PICTURE
from edge_vc_runtime.message import printable

HELP = """Measure speaker similarity, intelligibility and quality of converted speech.

Converts the sentences of unseen speakers in CORPUS with every system and prints one table per
group of metrics on stdout; --json writes the whole report for `edge-vc report`.

CORPUS needs recordings of the roles unseen-source (to convert, from speakers not used in any
training) and target-reference (the target's own, two or more): in its metadata.csv, or in folders
unseen-source/NAME and target-reference. `edge-vc prepare RECORDINGS -o DIR --target NAME
--evaluation` makes one, DIR/evaluation. Text, in the table or as NAME.txt, is for word errors.
Recordings over two minutes are left out: `edge-vc prepare CORPUS -o DIR` cuts them into sentences
and keeps their roles.

A teacher of kind module or command is code that runs with your rights.
"""
NOTES = notes(
    """
edge-vc evaluate source teacher kathleen-base --corpus corpus/eval
edge-vc evaluate teacher wide=student.safetensors base.evc --corpus corpus/eval \\
    --json out/evaluation.json --audio out/audio --jobs 2 --noise-db 10
edge-vc evaluate rvc=converted/ teacher --corpus corpus/eval --against teacher
edge-vc evaluate kathleen-flemish --voice flemish --corpus corpus/of-his
edge-vc report out/evaluation.json -o out/page.html
""",
    "0 done, 1 done without recordings that could not be read, 2 bad input, 130 Ctrl-C",
)

app = verb_app()


@app.command("evaluate", cls=Verb, help=HELP, epilog=NOTES)
def evaluate_command(
    systems: Annotated[
        list[str],
        typer.Argument(
            help="source, teacher, a bundle (.evc or a shipped one's name), teacher or student "
            "weights (.safetensors), another teacher (.onnx, .pt2, recipe.toml), or a folder of "
            "converted files (flat or train/ val/ dev/); NAME=PATH gives a name",
            show_default=False,
            metavar="SYSTEM",
        ),
    ],
    corpus: Annotated[
        Path,
        typer.Option(help="Folder with the roles of an evaluation, as above.", metavar="DIR"),
    ],
    per_speaker: Annotated[
        int | None, typer.Option(help="Sentences per source speaker (default: all).")
    ] = None,
    voice: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Voice, or a blend, of the bundles that have several (default: their first).",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Another input of the bundles that have it, as in --set pitch=2; may be repeated.",
        ),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            help="Compare all others with this system; may be repeated. Default: students with "
            "the teacher, INT8 with fp32.",
        ),
    ] = None,
    noise_db: Annotated[
        float | None,
        typer.Option(help="Also evaluate with babble and with shaped noise at this SNR, dB."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Number of processes; does not affect results.")] = 1,
    audio: Annotated[
        Path | None, output_option(FOLDER, help="Keep the converted audio in this folder.")
    ] = None,
    json: Annotated[
        Path | None, output_option(JSON_FILE, help="Write the whole report here.")
    ] = None,
    plot: Annotated[
        Path | None,
        output_option(PNG_PICTURE, help="Write a PNG of the first sentence's spectrograms here."),
    ] = None,
    plugin: Annotated[
        list[str] | None,
        typer.Option(
            help="Python module that registers further metrics; may be repeated.",
            metavar="MODULE",
            callback=import_plugins,
            is_eager=True,
        ),
    ] = None,
    list_metrics: Annotated[
        bool,
        typer.Option(
            "--list-metrics",
            help="List the metrics and exit.",
            callback=show_metrics,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Convert unseen speakers with every system and measure the results."""
    # Heavy imports are deferred until the command runs.
    from rich.console import Console

    from edge_vc.command_line.steps import Steps, stderr_console
    from edge_vc.data.corpus import Corpus
    from edge_vc.evaluate.evaluation import (
        MOST_SECONDS,
        EvaluationOptions,
        evaluate,
        with_audio_beside,
    )
    from edge_vc.evaluate.metrics.registry import left_out_metrics
    from edge_vc.evaluate.report.spectrogram import plot_first_sentence
    from edge_vc.evaluate.report.tables import all_tables
    from edge_vc.evaluate.systems.systems import check_inputs, load_systems
    from edge_vc_runtime.chain.input_options import input_values

    inputs = input_values(voice, set_ or ())
    opened = Corpus.open(corpus).shorter_than(MOST_SECONDS)
    name_left_out(opened.left_out)
    name_notices(utterance.path for utterance in opened)
    options = EvaluationOptions(per_speaker, noise_db, tuple(against or ()), audio, jobs)
    with Steps(stderr_console(), "recordings") as steps:
        loaded = [each for what in systems for each in load_systems(what, steps.say, inputs)]
        check_inputs(loaded, inputs)
        for line in left_out_metrics():
            steps.say(line)
        report = evaluate(loaded, opened, options, steps.track)
    if plot is not None:
        plot_first_sentence(loaded, corpus, plot)
    if json is not None:  # before the tables: a pipe may close on those
        with_audio_beside(report, json).save(json)
    console = Console(markup=False)
    for table in all_tables(report, console.width):
        console.print(table)
    for place in filter(None, (json, audio)):
        typer.echo(printable(f"wrote {place}"), err=True)
    exit_for_left_out(opened.left_out)

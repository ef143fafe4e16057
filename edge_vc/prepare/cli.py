"""``edge-vc prepare``: turn a folder of arbitrary recordings into a training corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_vc.command_line.output import output_option
from edge_vc.command_line.verb import ResumableVerb, notes, verb_app
from edge_vc_runtime.files.output_kinds import FOLDER
from edge_vc_runtime.message import shown_path

HELP = """Turn a folder of recordings into a corpus for training.

Reads WAV, FLAC, OGG, MP3 and any other format libsndfile supports, at any rate,
or the recordings listed in a metadata.csv. Cuts them at pauses, reduces
stationary noise, normalises the speech level, leaves out clipped, too short
and duplicate pieces, sets speakers aside for validation, and writes 16 kHz
files with their metadata.csv, a summary and a plot.

Without a table, each folder is a speaker. Folders called target, source, unseen-source and
target-reference give their recordings these roles, and NAME.txt beside a recording is its text.

Run the command again to resume an interrupted run or to prepare recordings added later.
"""
NOTES = notes(
    """
edge-vc prepare recordings/ -o corpus/ --jobs 4
edge-vc prepare recordings/ -o corpus/ --dry-run
edge-vc prepare recordings/ -o corpus/ --max-seconds 8 --min-snr 15
edge-vc prepare recordings/ -o corpus/ --variants 2 --noise noises/
edge-vc prepare recordings/ -o corpus/ --features log-mel,f0
edge-vc prepare recordings/ -o corpus/ --target anna --evaluation
    then: edge-vc evaluate source teacher --corpus corpus/evaluation
""",
    "0 done, 2 bad input, 130 Ctrl-C",
)

app = verb_app()


@app.command("prepare", cls=ResumableVerb, help=HELP, epilog=NOTES)
def prepare_command(
    recordings: Annotated[
        Path, typer.Argument(help="Folder with recordings, or a corpus.", show_default=False)
    ],
    out: Annotated[
        Path,
        output_option(
            FOLDER, "--output", "-o", help="Folder for the corpus, empty or an earlier run."
        ),
    ],
    jobs: Annotated[int, typer.Option(help="Number of parallel processes.")] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; write nothing.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start over in the folder of an earlier run.")
    ] = False,
    audio_format: Annotated[str, typer.Option("--format", help="flac or wav.")] = "flac",
    denoise: Annotated[
        str, typer.Option(help="Noise reduction: wiener, subtraction or none.")
    ] = "wiener",
    level: Annotated[float, typer.Option(help="Level of active speech, dBFS.")] = -23.0,
    max_seconds: Annotated[float, typer.Option(help="Split speech longer than this.")] = 15.0,
    max_pause: Annotated[float, typer.Option(help="Split at pauses longer than this, s.")] = 0.6,
    min_seconds: Annotated[float, typer.Option(help="Drop pieces shorter than this.")] = 1.0,
    min_snr: Annotated[float, typer.Option(help="Drop noisier pieces, dB; 0 keeps all.")] = 0.0,
    validation: Annotated[
        float, typer.Option(help="Share of the speakers set aside for validation.")
    ] = 0.1,
    target: Annotated[
        str,
        typer.Option(metavar="NAME", help="Target speaker: the folder's name."),
    ] = "",
    evaluation: Annotated[
        bool,
        typer.Option(
            "--evaluation",
            help="Set the validation speakers and some of the target's sentences aside for "
            "`edge-vc evaluate`, in the folder evaluation.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Random seed of the split and the variants.")] = 0,
    variants: Annotated[
        int, typer.Option(help="Augmented copies of each training piece with role source.")
    ] = 0,
    noise: Annotated[
        Path | None, typer.Option(help="Folder of noise recordings for the copies.")
    ] = None,
    rooms: Annotated[
        Path | None, typer.Option(help="Folder of room impulse responses for the copies.")
    ] = None,
    features: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Features to write, one .npz per piece: stft,log-mel,mfcc,energy,peaks,f0.",
        ),
    ] = "",
) -> None:
    """See `HELP`."""
    # Heavy imports are deferred until the command runs.
    from rich.console import Console

    from edge_vc.audio.feature_set import feature_names
    from edge_vc.audio.segment import SegmentSettings
    from edge_vc.command_line.steps import stderr_console
    from edge_vc.prepare.commands import run, show_plan
    from edge_vc.prepare.settings import PrepareSettings

    settings = PrepareSettings(
        audio_format=audio_format,
        denoise=denoise,
        level_db=level,
        segment=SegmentSettings(max_seconds=max_seconds, max_pause_seconds=max_pause),
        min_seconds=min_seconds,
        min_snr_db=min_snr,
        validation=validation,
        seed=seed,
        variants=variants,
        noise=str(noise.resolve()) if noise else "",
        rooms=str(rooms.resolve()) if rooms else "",
        target=target,
        evaluation=evaluation,
    )
    names = feature_names(features)
    if dry_run:
        show_plan(Console(), recordings, out, settings, overwrite)
    else:
        made = run(stderr_console(), recordings, out, settings, jobs, overwrite, names)
        typer.echo(shown_path(made), color=True)

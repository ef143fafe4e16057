"""``edge-vc compress``: turn a recipe into a run folder and a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_vc.command_line.errors import CheckError, InputError
from edge_vc.command_line.left_out import exit_for_left_out, name_left_out
from edge_vc.command_line.notices import name_lines, name_notices
from edge_vc.command_line.output import output_option
from edge_vc.command_line.verb import ResumableVerb, notes, verb_app
from edge_vc_runtime.files.output_kinds import FOLDER
from edge_vc_runtime.message import one_line, shown_path

if TYPE_CHECKING:
    from edge_vc.audio.scan import LeftOut
    from edge_vc.compress.recipe import Recipe

HELP = """Compress a teacher into a small student: prune, distil, quantise and export, by a recipe.

RECIPE is the name of a shipped recipe (base, base-lookahead, clear, nano, quick) or a TOML file
of your own; start one with `edge-vc compress base --show > mine.toml`, which writes every key with
its default.

Everything is written into the run folder: one folder per stage (data, prune, distill, calibrate,
quantize, export), the resolved recipe.toml, run.json with the figures. The bundle is
RUN/export/NAME.evc; its path is printed on stdout. The same command resumes an interrupted run
and repeats only the stages that a change affects; --dry-run lists them.

Several voices in one student: --voice for each, or a section [voices] in the recipe; the bundle
then has an input `voice` (edge-vc run BUNDLE --voice anna, or a blend: --voice anna:0.7,ben:0.3).

A [teacher] of kind module or command is code that runs with your rights: use only what you trust.
"""
NOTES = notes(
    """
edge-vc compress base --run build/base
edge-vc compress mine.toml --run build/mine --corpus recordings/
edge-vc compress base --teacher my-voice --corpus recordings/ --run build/my-voice
edge-vc compress base --voice anna=build/anna --voice ben=build/ben --corpus recordings/ \\
    --run build/both
edge-vc compress mine.toml --run build/mine --dry-run
edge-vc compress base --show > mine.toml
""",
    "0 done, 1 a result exceeds the recipe's limits, or recordings could not be read, "
    "2 bad input, 130 Ctrl-C",
)

app = verb_app()


def _recipes() -> list[str]:
    from edge_vc.compress.recipe import shipped_recipes

    return list(shipped_recipes())


@app.command("compress", cls=ResumableVerb, help=HELP, epilog=NOTES)
def compress(
    recipe: Annotated[
        str,
        typer.Argument(
            help="Name of a shipped recipe, or a TOML file.",
            metavar="RECIPE",
            autocompletion=_recipes,
        ),
    ],
    run: Annotated[Path, output_option(FOLDER, help="Run folder; created if missing.")] = Path(
        "build/run"
    ),
    corpus: Annotated[
        str, typer.Option(help="Folder of recordings to train on, instead of the recipe's.")
    ] = "",
    teacher: Annotated[
        str,
        typer.Option(
            help="Teacher instead of the recipe's: weights, or a folder of `train teacher`.",
            metavar="TEACHER",
        ),
    ] = "",
    voices: Annotated[
        list[str] | None,
        typer.Option(
            "--voice",
            help="A voice and its teacher; repeat it for a student that has and blends several.",
            metavar="NAME=TEACHER",
        ),
    ] = None,
    stage: Annotated[str, typer.Option(help="Stop after this stage.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would run and why; write nothing.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Print the recipe with every default as TOML and exit.")
    ] = False,
) -> None:
    """See `HELP`."""
    resolved = _with_voices(recipe, teacher, voices or [])
    if corpus:
        resolved = replace(resolved, data=replace(resolved.data, corpus=corpus))
    if show:
        import tomli_w

        typer.echo(tomli_w.dumps(resolved.to_dict()), nl=False)
    elif dry_run:
        _show_plan(resolved, run, stage or None)
    else:
        left_out = _opened(resolved)
        name_left_out(left_out)
        _compress(resolved, run, stage or None)
        exit_for_left_out(left_out)


def _with_voices(name: str, teacher: str, voices: list[str]) -> Recipe:
    """Return the recipe with the teachers from the command line; raises `RecipeError`."""
    from edge_vc.compress.own_voice import with_teacher, with_voice_facts, with_voices
    from edge_vc.compress.recipe import load_recipe

    recipe = load_recipe(name)
    if teacher and (voices or recipe.voices.names):
        raise InputError(f"--teacher {teacher}: is for one voice; name each with --voice NAME=...")
    if voices:
        return with_voices(recipe, voices)
    return with_teacher(recipe, teacher) if teacher else with_voice_facts(recipe)


def _opened(recipe: Recipe) -> tuple[LeftOut, ...]:
    """Print notices about the recipe's recordings; return those that cannot be read.

    An invalid corpus is reported later.
    """
    from edge_vc.audio.noise_folder import NOISE_FOLDERS, noise_notices
    from edge_vc.data.corpus import Corpus
    from edge_vc.data.corpus_table import CorpusError

    if recipe.noise.share and recipe.noise.folder:
        for name in NOISE_FOLDERS:
            name_lines(noise_notices(Path(recipe.noise.folder) / name))
    if not recipe.data.corpus:
        return ()
    try:
        corpus = Corpus.open(recipe.data.corpus)
    except CorpusError:
        return ()
    name_notices(utterance.path for utterance in corpus)
    return corpus.left_out


def _show_plan(recipe: Recipe, run: Path, until: str | None) -> None:
    from rich.console import Console

    from edge_vc.compress.console import cost_table, plan_table
    from edge_vc.compress.pipeline.runner import plan_run
    from edge_vc.compress.run import build_stages
    from edge_vc.compress.stages.initial_student import expected_costs

    console = Console()
    console.print(plan_table(plan_run(build_stages(recipe), run, until)))
    console.print(cost_table(recipe, *expected_costs(recipe)))


def _compress(recipe: Recipe, run: Path, until: str | None) -> None:
    from edge_vc.command_line.steps import stderr_console
    from edge_vc.compress.console import StageDisplay
    from edge_vc.compress.pipeline.stage import LimitError
    from edge_vc.compress.run import compress as compress_all
    from edge_vc.teachers.code_notice import first_use_notice

    for teacher in recipe.teachers.values():
        if notice := first_use_notice(teacher):
            typer.echo(one_line(notice), err=True)
    try:
        with StageDisplay(stderr_console()) as display:
            result = compress_all(
                recipe, run, until=until, progress=display.progress, report=display.report
            )
    except LimitError as error:
        raise CheckError(f"{error}; the numbers are in {run / 'run.json'}") from error
    for bundle in sorted(result.artifact("export").glob("*.evc")):
        typer.echo(shown_path(bundle), color=True)

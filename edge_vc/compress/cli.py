"""``edge-vc compress``: the recipe, the run folder, and what happens on the way."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from edge_vc.compress.pipeline.run_folder import RunFolderError
from edge_vc.compress.pipeline.stage import LimitError
from edge_vc.compress.recipe import Recipe, load_recipe
from edge_vc.settings.field import RecipeError
from edge_vc.threads import yield_when_idle

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

EXIT_LIMIT = 1
"""A stage's result was beyond the recipe's limits."""
EXIT_INPUT = 2
"""Something given was of no use: recipe, corpus, weights, run folder."""
EXIT_INTERRUPT = 130

HELP = """Make a student small: prune, distil, quantise and export it, by a recipe.

RECIPE is the name of a shipped recipe (base, base-lookahead, nano, quick) or a TOML file of your
own; start one with `edge-vc compress base --show > mine.toml`, which writes every key with its
default.

Everything lands in the run folder: one folder per stage (data, prune, distill, calibrate,
quantize, export), recipe.toml as it was understood, run.json with the numbers. The bundle is
RUN/export/NAME.evc. The same command goes on where a run was killed, and does again only what
a change concerns; --dry-run says what that is.

Exit codes: 0 done, 1 a result is beyond the recipe's limits, 2 bad input, 130 Ctrl-C.
"""


@app.command(help=HELP)
def compress(
    recipe: Annotated[str, typer.Argument(help="Name or TOML file.", metavar="RECIPE")],
    run: Annotated[Path, typer.Option(help="Run folder; made if missing.")] = Path("build/run"),
    corpus: Annotated[
        str, typer.Option(help="Folder of recordings to learn from, instead of the recipe's.")
    ] = "",
    stage: Annotated[str, typer.Option(help="Stop after this stage.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run and why; touch nothing.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Print the recipe with every default, and stop.")
    ] = False,
) -> None:
    """See `HELP`."""
    yield_when_idle()
    console = Console(stderr=True)
    options = {"--run": str(run), "--corpus": corpus, "--stage": stage}
    command = ["edge-vc", "compress", recipe, *(w for k, v in options.items() if v for w in (k, v))]
    with _exit_codes(console, shlex.join(command), run):
        resolved = load_recipe(recipe)
        if corpus:
            resolved = replace(resolved, data=replace(resolved.data, corpus=corpus))
        if show:
            import tomli_w

            typer.echo(tomli_w.dumps(resolved.to_dict()), nl=False)
        elif dry_run:
            _show_plan(console, resolved, run, stage or None)
        else:
            _compress(console, resolved, run, stage or None)


def _show_plan(console: Console, recipe: Recipe, run: Path, until: str | None) -> None:
    from edge_vc.compress.console import cost_table, plan_table
    from edge_vc.compress.pipeline.runner import plan_run
    from edge_vc.compress.run import build_stages
    from edge_vc.compress.stages.start import expected_costs

    console.print(plan_table(plan_run(build_stages(recipe), run, until)))
    console.print(cost_table(recipe, *expected_costs(recipe)))


def _compress(console: Console, recipe: Recipe, run: Path, until: str | None) -> None:
    from edge_vc.compress.console import Screen
    from edge_vc.compress.run import compress as compress_all

    with Screen(console) as screen:
        result = compress_all(
            recipe, run, until=until, progress=screen.progress, report=screen.report
        )
    for bundle in sorted(result.artefact("export").glob("*.evc")):
        typer.echo(str(bundle))


@contextmanager
def _exit_codes(console: Console, command: str, run: Path) -> Iterator[None]:
    """Turn the errors that users cause into one line and an exit code."""
    from edge_vc.audio.io import AudioError
    from edge_vc.data.corpus import CorpusError

    try:
        yield
    except LimitError as error:
        _say(console, f"{error}; the numbers are in {run / 'run.json'}")
        raise typer.Exit(EXIT_LIMIT) from error
    except (RecipeError, RunFolderError, AudioError, CorpusError) as error:
        _say(console, str(error))
        raise typer.Exit(EXIT_INPUT) from error
    except KeyboardInterrupt:
        _say(console, f"stopped; the same command goes on where it was: {command}")
        raise typer.Exit(EXIT_INTERRUPT) from None


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)

"""``edge-vc label``: a corpus and a teacher into what students learn from."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from edge_vc.labelling.job import LabelJob
    from edge_vc.labelling.report import LabelReport
    from edge_vc.teachers.spec import TeacherSpec

T = TypeVar("T")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

EXIT_NOTHING = 1
"""Not one recording was kept."""
EXIT_INPUT = 2
EXIT_INTERRUPT = 130

HELP = """Let a teacher convert a corpus: what students learn from.

CORPUS is a folder of WAV or FLAC files, with or without metadata.csv. The teacher is one of

\b
  shipped             the one that comes with Edge VC
  weights.safetensors one that was trained with Edge VC
  program.pt2         a torch.export program
  graph.onnx          an ONNX file, offline or streaming
  FOLDER              NAME_original.wav, NAME_converted.wav: whatever another tool converted
  recipe.toml         a [teacher] section with kind = "module", "command" or any of these

\b
Examples:
  edge-vc label recordings --teacher shipped -o labels
  edge-vc label recordings --teacher my-teacher.toml -o labels --workers 4
  edge-vc label pairs --teacher pairs -o labels
  edge-vc label recordings --teacher rvc.toml -o labels --ray auto

A recipe for each kind lies in edge_vc/recipes/teachers. How late the answers come is measured on
twelve recordings and undone; silent, clipped, wrong or cut answers are left out. DIR/report.json
and report.md name every one of them. The same command goes on where it was stopped, and tries
again what failed. Then: edge-vc compress RECIPE, with the same [teacher] and with
[data] labels = "DIR".

Exit codes: 0 done, 1 nothing was kept, 2 bad input, 130 Ctrl-C.
"""


@app.command(help=HELP)
def label(
    corpus: Annotated[Path, typer.Argument(help="Folder of recordings.")],
    teacher: Annotated[str, typer.Option(help="Who converts.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to fill.", metavar="DIR")],
    workers: Annotated[
        int, typer.Option(min=0, help="Processes, or actors; 0: as many as CPUs.")
    ] = 0,
    ray: Annotated[
        str, typer.Option(help="Label on this Ray cluster: an address, or auto.", metavar="ADDRESS")
    ] = "",
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds that one recording may take.")
    ] = 300.0,
    delay: Annotated[
        str, typer.Option(help="auto, none, or how many ms the teacher's answers are late.")
    ] = "auto",
    vary: Annotated[
        bool, typer.Option("--vary", help="Play recordings slower and faster as well.")
    ] = False,
    wav: Annotated[
        bool, typer.Option("--wav", help="Write pairs of WAV files, too, in DIR/pairs.")
    ] = False,
) -> None:
    """See `HELP`."""
    from rich.console import Console

    from edge_vc.audio.io import AudioError
    from edge_vc.data.corpus import CorpusError
    from edge_vc.labelling.folder import LabelFolderError
    from edge_vc.settings.field import RecipeError
    from edge_vc.teachers.spec import TeacherError
    from edge_vc.workers.pool import WorkerStartError

    console = Console(stderr=True)
    try:
        spec = _spec(teacher)
        job = _job(spec, corpus, output, delay, timeout, vary)
        report = _run(job, spec, workers, ray, console)
        if wav:
            from edge_vc.labelling.pairs import write_pairs

            typer.echo(str(write_pairs(report, output)))
    except WorkerStartError as error:
        typer.echo(f"error: --ray {error}", err=True)
        raise typer.Exit(EXIT_INPUT) from error
    except (RecipeError, TeacherError, CorpusError, AudioError, LabelFolderError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(EXIT_INPUT) from error
    except KeyboardInterrupt:
        again = shlex.join(["edge-vc", "label", *sys.argv[2:]])
        typer.echo(f"stopped; the same command goes on where it was: {again}", err=True)
        raise typer.Exit(EXIT_INTERRUPT) from None
    _show(report, output, console)
    if not report.kept:
        raise typer.Exit(EXIT_NOTHING)


def _spec(teacher: str) -> TeacherSpec:
    from edge_vc.teachers.spec import spec_from_words

    return spec_from_words(teacher)


def _job(
    spec: TeacherSpec, corpus: Path, output: Path, delay: str, timeout: float, vary: bool
) -> LabelJob:
    from edge_vc.data.corpus import Corpus
    from edge_vc.labelling.job import LabelJob, LabelSettings, recordings_for
    from edge_vc.settings.field import RecipeError
    from edge_vc.workers.scheduler import Timeouts

    recordings = recordings_for(spec, Corpus.open(corpus), vary)
    timeouts = Timeouts(item=timeout)
    if delay in ("auto", "none"):
        settings = LabelSettings(correct=delay == "auto", timeouts=timeouts)
    else:
        try:
            settings = LabelSettings(float(delay), timeouts=timeouts)
        except ValueError as error:
            raise RecipeError(f"--delay {delay}: give auto, none or a number of ms") from error
    return LabelJob(spec, recordings, output, settings)


def _run(job: LabelJob, spec: TeacherSpec, workers: int, ray: str, console: Console) -> LabelReport:
    import os

    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from edge_vc.labelling.opener import TeacherOpener

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:

        def progress(items: Iterable[T], total: int, label: str) -> Iterable[T]:
            return bar.track(items, total=total, description=label)

        if ray:
            from edge_vc.teachers.loading import teacher_hash
            from edge_vc.workers.ray_pool import RayPool

            opener = TeacherOpener(spec, teacher_hash(spec))
            with RayPool(opener, ray, workers) as cluster:
                return job.run(cluster, progress)
        from edge_vc.workers.process_pool import ProcessPool

        pool = ProcessPool(TeacherOpener(spec), workers or os.cpu_count() or 1)
        return job.run(pool, progress)


def _show(report: LabelReport, output: Path, console: Console) -> None:
    from rich.table import Table

    from edge_vc.labelling.folder import REPORT

    facts = report.delay()
    if facts["median_ms"] is not None:
        console.print(
            f"answers come {facts['median_ms']:.1f} ms late (median of {facts['sure']}); "
            f"undone in {facts['undone']}"
        )
    if report.dropped:
        table = Table("recording", "left out because", "fact", title="without labels")
        for row in report.dropped[:20]:
            name = row.utterance.path.name
            table.add_row(name, row.outcome.reason, row.outcome.fact)
        console.print(table)
    if report.unmatched:
        console.print(f"{len(report.unmatched)} files without their other half:")
        console.print(", ".join(report.unmatched[:20]), markup=False)
    typer.echo(f"{len(report.kept)} of {report.wanted} recordings labelled: {output / REPORT}")

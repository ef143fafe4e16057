"""``edge-vc label``: labels a corpus with a teacher, for students to be trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_vc.command_line.errors import EXIT_CHECK, InputError
from edge_vc.command_line.left_out import exit_for_left_out, name_left_out
from edge_vc.command_line.notices import name_notices
from edge_vc.command_line.output import output_option
from edge_vc.command_line.verb import ResumableVerb, notes, verb_app
from edge_vc_runtime.files.output_kinds import FOLDER
from edge_vc_runtime.message import one_line, shown_path

if TYPE_CHECKING:
    from rich.console import Console

    from edge_vc.data.corpus import Corpus
    from edge_vc.labelling.job import LabelJob, LabelSettings
    from edge_vc.labelling.report import LabelReport
    from edge_vc.teachers.spec import TeacherSpec

HELP = """Convert a corpus with a teacher into labels, on which students are trained.

CORPUS is a folder of recordings, with or without metadata.csv. The teacher is one of

\b
{teachers}

A recipe for each kind is in edge_vc/recipes/teachers. The teacher's delay is measured on twelve
recordings and removed; silent, clipped, wrong or truncated outputs are left out. DIR/report.json
and report.md list them all. A module or command teacher is code that runs with your rights: use
only those that you trust; each is named on stderr the first time. The same command resumes an
interrupted job and tries again what failed. Then: edge-vc compress RECIPE, with the same [teacher]
and with [data] labels = "DIR".
"""
NOTES = notes(
    """
edge-vc label recordings --teacher shipped -o labels
edge-vc label recordings --teacher my-teacher.toml -o labels --workers 4
edge-vc label pairs --teacher pairs -o labels
edge-vc label recordings --teacher rvc.toml -o labels-24k --sample-rate 24000
edge-vc label recordings --teacher rvc.toml -o labels --ray auto
""",
    "0 done, 1 no recording was kept or some could not be read, 2 bad input, 130 Ctrl-C",
)

app = verb_app()


class LabelVerb(ResumableVerb):
    """The verb; its help lists the kinds of teachers registered at that time."""

    def get_help(self, ctx: Any) -> str:
        """Return the help, including the teachers."""
        from edge_vc.teachers.registry import choices

        lines = [f"  {word:<18} {title}" for word, title in choices()]
        self.help = HELP.replace("{teachers}", "\n".join(lines))
        return str(super().get_help(ctx))


@app.command("label", cls=LabelVerb, help=HELP, epilog=NOTES)
def label(
    corpus: Annotated[Path, typer.Argument(help="Folder of recordings.")],
    teacher: Annotated[
        str, typer.Option(help="The teacher, as above.", show_default=False, metavar="TEACHER")
    ],
    output: Annotated[Path, output_option(FOLDER, "--output", "-o", help="Folder to fill.")],
    workers: Annotated[
        int, typer.Option(min=0, help="Processes, or Ray actors; 0: one for each CPU.")
    ] = 0,
    ray: Annotated[
        str, typer.Option(help="Label on this Ray cluster: an address, or auto.", metavar="ADDRESS")
    ] = "",
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds allowed per recording.")] = 300.0,
    delay: Annotated[
        str, typer.Option(help="Delay of the teacher's output to remove: auto, none or ms.")
    ] = "auto",
    sample_rate: Annotated[
        int,
        typer.Option(min=8_000, max=48_000, help="Of the labels: the student's, Hz.", metavar="HZ"),
    ] = 16_000,
    vary: Annotated[
        bool, typer.Option("--vary", help="Also label the recordings played slower and faster.")
    ] = False,
    wav: Annotated[
        bool, typer.Option("--wav", help="Also write pairs of WAV files into DIR/pairs.")
    ] = False,
) -> None:
    """See `HELP`."""
    from edge_vc.command_line.steps import stderr_console
    from edge_vc.labelling.folder import REPORT
    from edge_vc.labelling.job import LabelJob, recordings_for

    console = stderr_console()
    spec = _spec(teacher)
    opened = _open(corpus)
    _name_output_notices(spec)
    recordings = recordings_for(spec, opened, vary)
    job = LabelJob(spec, recordings, output, _settings(delay, timeout, sample_rate))
    report = _run(job, spec, workers, ray, console)
    _show(report, console)
    typer.echo(shown_path(output / REPORT), color=True)
    if wav:
        from edge_vc.labelling.pairs import write_pairs

        typer.echo(shown_path(write_pairs(report, output, sample_rate)), color=True)
    if not report.kept:
        raise typer.Exit(EXIT_CHECK)
    exit_for_left_out(opened.left_out, report.reasons.get("bad recording", 0))


def _spec(teacher: str) -> TeacherSpec:
    from edge_vc.teachers.code_notice import first_use_notice
    from edge_vc.teachers.reading import spec_from_words

    spec = spec_from_words(teacher)
    if notice := first_use_notice(spec):
        typer.echo(one_line(notice), err=True)
    return spec


def _settings(delay: str, timeout: float, sample_rate: int) -> LabelSettings:
    from edge_vc.labelling.job import LabelSettings
    from edge_vc.workers.scheduler import Timeouts

    settings = LabelSettings(timeouts=Timeouts(item=timeout), sample_rate=sample_rate)
    if delay in ("auto", "none"):
        return replace(settings, correct=delay == "auto")
    try:
        return replace(settings, delay_ms=float(delay))
    except ValueError as error:
        raise InputError(f"--delay {delay}: give auto, none or a number of ms") from error


def _open(folder: Path) -> Corpus:
    from edge_vc.data.corpus import Corpus

    opened = Corpus.open(folder)
    name_left_out(opened.left_out)
    name_notices(utterance.path for utterance in opened)
    return opened


def _name_output_notices(spec: TeacherSpec) -> None:
    """Warn about conversions in a folder whose channels cancel each other."""
    from edge_vc.teachers.pairs_folder import PairsFolder, PairsSpec

    if isinstance(spec, PairsSpec):
        name_notices(pair.converted for pair in PairsFolder.open(Path(spec.path)).pairs)


def _run(job: LabelJob, spec: TeacherSpec, workers: int, ray: str, console: Console) -> LabelReport:
    import os

    from edge_vc.command_line.steps import Steps
    from edge_vc.labelling.opener import TeacherOpener

    with Steps(console, "recordings") as steps:
        if ray:
            from edge_vc.teachers.loading import teacher_hash
            from edge_vc.workers.pool import WorkerStartError
            from edge_vc.workers.ray_pool import RayPool

            try:
                with RayPool(TeacherOpener(spec, teacher_hash(spec)), ray, workers) as cluster:
                    return job.run(cluster, steps.track)
            except WorkerStartError as error:
                raise InputError(f"--ray {error}") from error
        from edge_vc.workers.process_pool import ProcessPool

        pool = ProcessPool(TeacherOpener(spec), workers or os.cpu_count() or 1)
        return job.run(pool, steps.track)


def _show(report: LabelReport, console: Console) -> None:
    from rich.markup import escape
    from rich.table import Table

    facts = report.delay()
    if facts["median_ms"] is not None:
        console.print(
            f"the teacher's output is {facts['median_ms']:.1f} ms late (median of "
            f"{facts['sure']} recordings); removed in {facts['undone']}"
        )
    if report.dropped:
        table = Table("recording", "left out because", "details", title="without labels")
        for row in report.dropped[:20]:
            cells = (Path(row.where).name, row.outcome.reason, row.outcome.fact)
            table.add_row(*(escape(one_line(cell)) for cell in cells))
        console.print(table)
    if report.unmatched:
        console.print(f"{len(report.unmatched)} files without their other half:")
        console.print(one_line(", ".join(report.unmatched[:20])), markup=False)
    console.print(f"{len(report.kept)} of {report.wanted} recordings labelled")

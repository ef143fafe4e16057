"""Terminal output of ``edge-vc prepare``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from edge_vc.audio.noise_folder import noise_notices
from edge_vc.command_line.notices import name_lines, name_notices
from edge_vc.command_line.steps import Steps
from edge_vc.prepare.evaluation import EVALUATION
from edge_vc.prepare.features import write_features
from edge_vc.prepare.output import DROPPED, FEATURES, PLOT, SUMMARY, Output, open_output
from edge_vc.prepare.plan import make_plan
from edge_vc.prepare.plots import plot_corpus
from edge_vc.prepare.preparation import prepare
from edge_vc.prepare.record import load_record, write_text
from edge_vc.prepare.settings import PrepareSettings
from edge_vc.prepare.sources import find_sources
from edge_vc.prepare.split import VALIDATION
from edge_vc.prepare.summary import as_json, drop_table, speaker_table
from edge_vc.settings.folder_lock import only_process
from edge_vc_runtime.message import one_line

NOTHING_LEFT = (
    "all of it was set aside: metadata.csv lists nothing to train on, and no features were "
    "written; to train as well, give more recordings of the target or of other speakers"
)


def show_plan(
    console: Console, recordings: Path, out: Path, settings: PrepareSettings, overwrite: bool
) -> None:
    """Print what a run would do; nothing is written."""
    root, folder = out.resolve(), recordings.resolve()
    # Starting over deletes the earlier output; a dry run must not do that.
    output = Output(root, {}) if overwrite else open_output(root, folder, settings)
    plan = make_plan(folder, settings, output.sides)
    ready = [t for t in plan.tasks if load_record(output.records, t.source, t.key)]
    done = 0.0 if overwrite else sum(task.utterance.seconds for task in ready)
    aside = sorted(name for name, side in plan.sides.items() if side == VALIDATION)
    console.print(
        f"{len(plan.tasks)} recordings, {plan.seconds / 60:.1f} min, {len(plan.sides)} speakers; "
        f"{done / 60:.1f} min are prepared already"
    )
    names = ", ".join(aside) or "no speaker"
    console.print(one_line(f"validation: {names}"), soft_wrap=True, markup=False)
    for drop in plan.drops:
        line = one_line(f"left out: {drop.source}: {drop.detail}")
        console.print(line, soft_wrap=True, markup=False)
    line = one_line(f"nothing written; without --dry-run it goes to {root}")
    console.print(line, soft_wrap=True, markup=False)


def run(
    console: Console,
    recordings: Path,
    out: Path,
    settings: PrepareSettings,
    jobs: int,
    overwrite: bool,
    features: Sequence[str] = (),
) -> Path:
    """Prepare the recordings, print and store the result for each, and return the corpus.

    ``features`` names the features to write for each piece, see `write_features`.
    """
    with only_process(out):
        return _run(console, recordings, out, settings, jobs, overwrite, features)


def _run(
    console: Console,
    recordings: Path,
    out: Path,
    settings: PrepareSettings,
    jobs: int,
    overwrite: bool,
    features: Sequence[str],
) -> Path:
    found, _ = find_sources(recordings)
    name_notices(source.utterance.path for source in found)
    for folder in filter(None, (settings.noise, settings.rooms)):
        name_lines(noise_notices(Path(folder)))
    with Steps(console, "s of speech") as steps:
        prepared = prepare(
            recordings,
            out,
            settings,
            jobs=jobs,
            overwrite=overwrite,
            progress=steps.track,
        )
    console.print(speaker_table(prepared))
    if prepared.drops:
        console.print(drop_table(prepared))
    write_text(prepared.root / SUMMARY, as_json(prepared, settings))
    if prepared.kept:
        plot_corpus(prepared, prepared.root / PLOT)
    if settings.evaluation:
        line = f"set aside for edge-vc evaluate: {prepared.root / EVALUATION}"
        console.print(one_line(line), soft_wrap=True, markup=False, highlight=False)
        if not prepared.listed:
            console.print(NOTHING_LEFT, soft_wrap=True, highlight=False)
    if VALIDATION not in prepared.plan.sides.values() and settings.validation:
        console.print("no validation: it needs two non-target speakers")
    names = f"metadata.csv, {SUMMARY}, {DROPPED}, {PLOT}"
    if features and prepared.listed:
        with Steps(console, "pieces") as steps:
            write_features(prepared.root, features, jobs=jobs, progress=steps.track)
        names += f", {FEATURES}"
    console.print(f"wrote {names} into", soft_wrap=True, highlight=False)
    return prepared.root

"""Labels of a run: training and hold-out recordings, and their files."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from edge_vc.compress.stages.settings import DataSettings
from edge_vc.data.corpus import Corpus
from edge_vc.data.utterance import Utterance
from edge_vc.labelling.folder import REPORT, TABLE, LabelFolder, LabelFolderError
from edge_vc.labelling.report import LabelledRow, LabelReport, load_report
from edge_vc.settings.field import RecipeError
from edge_vc.teachers.loading import teacher_hash
from edge_vc.teachers.spec import TeacherError, TeacherSpec

LEAST_SECONDS = 5.0
"""Least amount of training speech."""


def choose(corpus: Corpus, data: DataSettings) -> tuple[list[Utterance], list[Utterance]]:
    """Draw utterances for training and, before them, for the hold-out.

    The target's own recordings are never in the hold-out. Raises `RecipeError` if the corpus is
    too short for both.
    """
    drawn = sorted(corpus, key=lambda utterance: utterance.path)
    random.Random(data.seed).shuffle(drawn)
    holdout: list[Utterance] = []
    train: list[Utterance] = []
    held_out, kept = 0.0, 0.0
    for utterance in drawn:
        if held_out < data.holdout_seconds and utterance.role != "target":
            holdout.append(utterance)
            held_out += utterance.seconds
        elif kept < data.minutes * 60:
            train.append(utterance)
            kept += utterance.seconds
    if held_out < data.holdout_seconds or kept < LEAST_SECONDS:
        raise RecipeError(
            f"data.holdout_seconds = {data.holdout_seconds:g}: {corpus.root} holds "
            f"{corpus.seconds:.1f} s, too little for that and {LEAST_SECONDS:g} s of training"
        )
    return train, holdout


def open_labels(folder: str, teacher: TeacherSpec) -> LabelReport:
    """Read the report of a folder written by ``edge-vc label``.

    Raises `RecipeError` if it is not complete, or if its teacher is not that of the recipe, which
    is recorded in the bundle.
    """
    try:
        report = load_report(Path(folder))
    except LabelFolderError as error:
        raise RecipeError(f'data.labels = "{folder}": {error}') from error
    if len(report.rows) < report.wanted:
        raise RecipeError(
            f'data.labels = "{folder}": {len(report.rows)} of {report.wanted} recordings are '
            "done; run the same edge-vc label again"
        )
    theirs = {k: v for k, v in report.teacher.spec.items() if k not in teacher.passing}
    said = {key: value for key, value in asdict(teacher).items() if key not in teacher.passing}
    if theirs != said and not _same_content(report.teacher.hash, teacher):
        table = "; ".join(f"{key} = {json.dumps(value)}" for key, value in theirs.items())
        raise RecipeError(
            f'data.labels = "{folder}": are by another teacher; write [teacher] {table}'
        )
    return report


def _same_content(hash: str, teacher: TeacherSpec) -> bool:
    """Return whether a teacher has this hash, at any path."""
    try:
        return teacher_hash(teacher) == hash
    except TeacherError:
        return False


def labels_hash(report: LabelReport) -> str:
    """Return the sha256 over the set of labels and their teacher."""
    keys = sorted({row.outcome.key for row in report.kept})
    return hashlib.sha256("\n".join([report.teacher.hash, *keys]).encode()).hexdigest()


def labelled_corpus(reports: Sequence[LabelReport], folder: Path) -> Corpus:
    """Return the labelled recordings of the reports as a corpus."""
    kept = (row.utterance for report in reports for row in report.kept)
    distinct = {utterance.path: utterance for utterance in kept}
    return Corpus(folder, tuple(distinct.values()))


def collect(
    report: LabelReport,
    folder: Path,
    parts: Mapping[str, Iterable[Utterance]],
    output: Path,
    *,
    vary: bool,
    voice: str = "",
) -> dict[str, list[str]]:
    """Put the labels of the selected recordings into ``output``; return their names by part.

    The report is copied too, and all names are prefixed with the ``voice``, if given. Other speeds
    are used only with ``vary``, and only for training. Raises `RecipeError` if no label is left in
    one of the parts.
    """
    prefix = f"{voice}-" if voice else ""
    names: dict[str, list[str]] = {}
    for part, chosen in parts.items():
        paths = {utterance.path for utterance in chosen}
        plain = part == "holdout" or not vary
        rows = [
            r for r in report.kept if r.utterance.path in paths and not (plain and r.speed != 1)
        ]
        names[part] = sorted({_place(f"{part}-{prefix}", row, folder, output) for row in rows})
        if not rows:
            why = ", ".join(f"{reason} {count}" for reason, count in report.reasons.items())
            of = f" in the voice {voice}" if voice else ""
            raise RecipeError(
                f"no labels are left of the {part} recordings{of}: {why or 'none kept'}"
            )
    for name in (REPORT, TABLE):
        shutil.copyfile(folder / name, output / f"{prefix}{name}")
    return names


def _place(prefix: str, row: LabelledRow, folder: Path, output: Path) -> str:
    """Link a file, so that its folder stays complete at any kill; copy if linking fails."""
    source = LabelFolder(folder).path(row.outcome.key)
    target = output / f"{prefix}{source.name}"
    if not target.exists():
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
    return target.name

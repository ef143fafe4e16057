"""``prepare``: turn a folder of recordings into a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_vc.audio.voice_activity import model_path
from edge_vc.data.corpus import write_metadata
from edge_vc.data.corpus_table import METADATA
from edge_vc.data.utterance import Utterance
from edge_vc.prepare.duplicates import without_duplicates
from edge_vc.prepare.evaluation import hold_out
from edge_vc.prepare.output import DROPPED, Output, open_output
from edge_vc.prepare.plan import PreparePlan, make_plan
from edge_vc.prepare.pool import DetectorOpener, prepare_all
from edge_vc.prepare.record import Piece, PrepareRecord, file_hash, load_record, write_text
from edge_vc.prepare.settings import PrepareError, PrepareSettings
from edge_vc.prepare.sources import Drop
from edge_vc.prepare.split import TRAIN, VALIDATION
from edge_vc.prepare.task import PrepareTask
from edge_vc.prepare.variants import surroundings
from edge_vc.workers.progress import Progress, no_progress
from edge_vc_runtime.message import printable


@dataclass(frozen=True)
class Prepared:
    """Result of a run."""

    root: Path
    plan: PreparePlan
    kept: tuple[tuple[PrepareTask, Piece], ...]
    drops: tuple[Drop, ...]
    """Recordings and pieces that cannot be opened, read or used, in order of source."""
    listed: int
    """Files in ``metadata.csv``: those that remain for training."""


def prepare(
    folder: str | Path,
    out: str | Path,
    settings: PrepareSettings | None = None,
    *,
    jobs: int = 1,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> Prepared:
    """Prepare every recording of ``folder`` and write the corpus ``out``.

    ``out/metadata.csv`` lists everything, ``out/train`` and ``out/validation`` are corpora of
    their own. Another run resumes an interrupted one, adds new recordings and leaves the rest
    unchanged. Recordings are streamed: only the records of the pieces stay in memory, about
    8 MB per hour. Raises `PrepareError` or `AudioError` if it cannot start; a recording that
    cannot be used is in the result's ``drops``. ``progress`` counts seconds of audio.
    """
    settings = settings or PrepareSettings()
    root, folder = Path(out).resolve(), Path(folder).resolve()
    if not 1 <= jobs <= 256:
        raise PrepareError(f"{jobs} jobs; give 1 to 256")
    model_path()
    surroundings(settings.noise, settings.rooms)
    output = open_output(root, folder, settings, overwrite)
    plan = make_plan(folder, settings, output.sides)
    output.claim(settings, plan.sides)
    run = _Run(output, settings, jobs, progress)
    known = {task.source: load_record(output.records, task.source, task.key) for task in plan.tasks}
    known |= run.work([task for task in plan.tasks if known[task.source] is None])
    records = [record for record in known.values() if record is not None]
    unique = without_duplicates(records, settings.agreement)
    # Files may have been deleted, or never written for former duplicates.
    torn = {record.source for record in unique if not _complete(output.root, record)}
    run.work([task for task in plan.tasks if task.source in torn])
    return _finish(plan, output, unique, settings)


@dataclass(frozen=True)
class _Run:
    output: Output
    settings: PrepareSettings
    jobs: int
    progress: Progress

    def work(self, tasks: Sequence[PrepareTask]) -> dict[str, PrepareRecord]:
        """Run the tasks and return their records by source."""
        opener = DetectorOpener(self.settings, self.output.root, self.output.records)
        made = prepare_all(tasks, opener, self.jobs, self.progress)
        return {record.source: record for record in made}


def _complete(root: Path, record: PrepareRecord) -> bool:
    """Return whether every file of a recording exists unchanged."""
    return all(
        tuple(file_hash(root / path) for path in piece.files) == piece.sha256
        for piece in record.pieces
        if piece.path
    )


def _finish(
    plan: PreparePlan,
    output: Output,
    unique: Sequence[PrepareRecord],
    settings: PrepareSettings,
) -> Prepared:
    """Write the tables and delete files they do not list."""
    tasks = {task.source: task for task in plan.tasks}
    drops = list(plan.drops)
    drops += [Drop(r.source, 0.0, r.seconds, "unreadable", r.error) for r in unique if r.error]
    kept: list[tuple[PrepareTask, Piece]] = []
    for record in unique:
        for piece in record.pieces:
            if piece.path:
                kept.append((tasks[record.source], piece))
            else:
                drops.append(
                    Drop(record.source, piece.start, piece.seconds, piece.reason, piece.detail)
                )
    drops.sort(key=lambda drop: (drop.source, drop.start))
    listed = _write_tables(output.root, kept, settings)
    _write_drops(output.root / DROPPED, drops)
    output.sweep(path for _, piece in kept for path in (piece.path, *piece.variants))
    return Prepared(output.root, plan, tuple(kept), tuple(drops), listed)


def _write_tables(
    root: Path, kept: Sequence[tuple[PrepareTask, Piece]], settings: PrepareSettings
) -> int:
    """Write the overall table and one per side; return how many files the first lists."""
    rows = [row for task, piece in kept for row in _rows(root, task, piece)]
    if settings.evaluation:
        rows = hold_out(root, rows, settings.validation, settings.seed)
    for side in (TRAIN, VALIDATION):
        mine = [row for row in rows if row.path.is_relative_to(root / side)]
        if mine:
            write_metadata(root / side, mine)
        else:
            (root / side / METADATA).unlink(missing_ok=True)
    write_metadata(root, rows)
    return len(rows)


def _rows(root: Path, task: PrepareTask, piece: Piece) -> list[Utterance]:
    """Return the table rows of a piece and its copies; only whole recordings keep their text."""
    whole = piece.path.rsplit(".", 1)[0] == task.stem
    return [
        replace(
            task.utterance,
            path=root / path,
            utt_id=_plain(Path(path).stem),
            speaker=_plain(task.utterance.speaker or "unknown"),
            seconds=seconds,
            corpus=_plain(task.utterance.corpus),
            text=task.utterance.text if whole else "",
        )
        for path, seconds in zip(
            (piece.path, *piece.variants), (piece.seconds, *piece.variant_seconds), strict=True
        )
    ]


def _plain(text: str) -> str:
    """Return ``text`` as a table can hold it; folder names may contain any character."""
    return printable(text.replace("|", "_").replace("\n", "_").replace("\r", "_"))


def _write_drops(path: Path, drops: Sequence[Drop]) -> None:
    lines = ["source|start|seconds|reason|detail"]
    lines += [
        "|".join(map(_plain, (d.source, f"{d.start:.2f}", f"{d.seconds:.2f}", d.reason, d.detail)))
        for d in drops
    ]
    write_text(path, "\n".join(lines) + "\n")

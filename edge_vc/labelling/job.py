"""Labels a corpus with a teacher: resumable, on any worker pool, outliers left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from edge_vc.audio.io import AudioError
from edge_vc.data.utterance import Utterance
from edge_vc.labelling.delay import DelayEstimate, common_delay_ms
from edge_vc.labelling.folder import REPORT, TABLE, LabelFolder, TeacherRecord
from edge_vc.labelling.label import RATE, Alignment
from edge_vc.labelling.labels import LabelledAudio, load_labels
from edge_vc.labelling.long_recording import (
    LongRecording,
    PartKey,
    long_recording,
    may_be_long,
    part_keys,
)
from edge_vc.labelling.opener import TeacherOpener
from edge_vc.labelling.report import LabelReport, rows_in_order
from edge_vc.labelling.task import FAILED, LEFT_OUT, TOO_LONG, LabelOutcome, LabelTask, label_key
from edge_vc.teachers.loading import teacher_hash
from edge_vc.teachers.pairs_folder import PairsSpec
from edge_vc.teachers.spec import TeacherError, TeacherSpec
from edge_vc.workers.inline_pool import InlinePool
from edge_vc.workers.pool import WorkerPool, WorkerStartError
from edge_vc.workers.progress import Progress, no_progress
from edge_vc.workers.scheduler import Answer, LostItem, Scheduler, Timeouts

SLOWER_AND_FASTER = (0.87, 1.15)
"""Speeds at which varied recordings are played: larger and smaller people."""
PROBES = 12
"""Recordings on which the teacher's delay is measured before anything is labelled."""

Recording = tuple[Utterance, float]
"""What to label, and how fast to play it."""
_NOT_YET = LabelOutcome("", FAILED)
LabelPool = WorkerPool[LabelTask, LabelOutcome]
"""Workers whose opener is a `TeacherOpener`."""


@dataclass(frozen=True)
class LabelSettings:
    """Settings of a job."""

    delay_ms: float | None = None
    """Delay of the teacher's output; None: it is measured."""
    correct: bool = True
    """Whether delayed outputs are moved."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    sample_rate: int = RATE
    """Rate of the labels in Hz, which is the student's."""
    wait: bool = False
    """Whether to wait for another job that labels into the same folder."""


class LabelJob:
    """One job: call ``run``, as often as it takes."""

    def __init__(
        self,
        spec: TeacherSpec,
        recordings: Sequence[Recording],
        folder: Path,
        settings: LabelSettings,
    ) -> None:
        """Take what to label and the teacher; raises `TeacherError` if its files are missing."""
        self._spec, self._recordings, self._settings = spec, tuple(recordings), settings
        self._folder = LabelFolder(folder)
        self._hash = teacher_hash(spec)
        self._keys: dict[int, str] = {}
        self._parts: dict[str, list[PartKey]] = {}
        self._found: dict[str, LabelOutcome] = {}

    def run(self, pool: LabelPool, progress: Progress = no_progress) -> LabelReport:
        """Label what is not yet labelled, and write the report.

        Failures (the teacher raised, died, or did not answer) are retried in the next run; outliers
        are not. The report is written however this ends. Raises `TeacherError` and
        `LabelFolderError`, each with one line.
        """
        with self._folder.locked(self._settings.wait):
            teacher = self._folder.claim(self._hash, asdict(self._spec))
            finished = self._folder.finished()
            self._found = {k: o for k, o in finished.items() if o.reason != TOO_LONG}
            try:
                with Scheduler(pool, self._settings.timeouts) as scheduler:
                    teacher = self._measured(teacher, scheduler, progress)
                    alignment = self._alignment(teacher)
                    distinct = self._distinct(alignment)
                    outcomes = self._outcomes(scheduler, distinct, alignment)
                    for _ in progress(outcomes, len(distinct), "converting"):
                        pass
            except WorkerStartError as error:
                raise TeacherError(f"the teacher does not open: {error}") from error
            finally:
                report = self._report(teacher)
                self._folder.write_json(REPORT, report.to_dict())
                self._folder.write_text(TABLE, report.to_table())
        return report

    def _measured(
        self,
        teacher: TeacherRecord,
        scheduler: Scheduler[LabelTask, LabelOutcome],
        progress: Progress,
    ) -> TeacherRecord:
        """Measure the delay on a few recordings, once per folder."""
        if self._corrects and self._settings.delay_ms is None and not teacher.measured:
            step = max(1, len(self._recordings) // PROBES)
            chosen = self._recordings[::step][:PROBES]
            outcomes = map(_outcome, scheduler.work(self._probes(chosen)))
            delays = [
                DelayEstimate(outcome.delay_ms, outcome.correlation or 0.0)
                for outcome in progress(outcomes, len(chosen), "measuring the delay")
                if outcome.delay_ms is not None
            ]
            teacher = replace(teacher, common_ms=common_delay_ms(delays), measured=bool(delays))
        self._folder.write_teacher(teacher)
        return teacher

    def _probes(self, chosen: Sequence[Recording]) -> Iterator[LabelTask]:
        """Yield what the delay is measured on; for a long recording, parts spread over it."""
        each = max(1, PROBES // max(1, len(chosen)))
        for recording in chosen:
            key, parts = self._key(recording, Alignment()), []
            with suppress(AudioError):
                parts = part_keys(*recording, key) if may_be_long(*recording) else []
            if not parts:
                yield self._task(recording, Alignment(), probe=True)
                continue
            with suppress(AudioError), self._opened(recording) as opened:
                for part in parts[:: max(1, len(parts) // each)][:each]:
                    yield opened.task(part, Alignment(), probe=True)

    @property
    def _corrects(self) -> bool:
        # Our own network is aligned by construction: any estimate would only add error.
        return self._settings.correct and self._spec.kind != "default"

    def _alignment(self, teacher: TeacherRecord) -> Alignment:
        given = self._settings.delay_ms
        return Alignment(self._corrects, teacher.common_ms if given is None else given)

    def _distinct(self, alignment: Alignment) -> dict[str, Recording]:
        """Return recordings by key: identical bytes under two names are labelled once."""
        distinct: dict[str, Recording] = {}
        for index, recording in enumerate(self._recordings):
            key = self._key(recording, alignment)
            self._keys[index] = key
            distinct.setdefault(key, recording)
        return distinct

    def _outcomes(
        self,
        scheduler: Scheduler[LabelTask, LabelOutcome],
        distinct: dict[str, Recording],
        alignment: Alignment,
    ) -> Iterator[LabelOutcome]:
        """Yield the outcomes of earlier runs, then new ones as they arrive, one per recording."""
        done = {
            key: self._found[key]
            for key in distinct
            if key in self._found and self._found[key].status != FAILED
        }
        yield from done.values()
        todo = {key: recording for key, recording in distinct.items() if key not in done}
        long: dict[str, list[PartKey]] = {}
        for key, recording in todo.items():
            with suppress(AudioError):  # reported by the worker that reads it
                if may_be_long(*recording):
                    long[key] = part_keys(*recording, key)
        tasks = (self._task(rec, alignment) for key, rec in todo.items() if not long.get(key))
        for outcome in map(_outcome, scheduler.work(tasks)):
            if outcome.reason == TOO_LONG:
                long[outcome.key] = part_keys(*todo[outcome.key], outcome.key)
            else:
                yield self._stored(outcome)
        for key, parts in long.items():
            if parts:
                yield self._label_parts(scheduler, key, todo[key], parts, alignment)

    def _stored(self, outcome: LabelOutcome) -> LabelOutcome:
        self._folder.store(outcome)
        self._found[outcome.key] = replace(outcome, content=b"")
        return outcome

    def _label_parts(
        self,
        scheduler: Scheduler[LabelTask, LabelOutcome],
        key: str,
        recording: Recording,
        parts: list[PartKey],
        alignment: Alignment,
    ) -> LabelOutcome:
        """Label the missing parts of a long recording; return the outcome of its last part."""
        todo = [p for p in parts if self._found.get(p.key, _NOT_YET).status == FAILED]
        try:
            if todo:
                with self._opened(recording) as opened:
                    self._parts[key] = parts
                    tasks = (opened.task(part, alignment) for part in todo)
                    for outcome in map(_outcome, scheduler.work(tasks)):
                        self._stored(outcome)
        except AudioError as error:
            return self._stored(LabelOutcome(key, LEFT_OUT, "bad recording", str(error)))
        self._parts[key] = parts
        return self._found[parts[-1].key]

    def _opened(self, recording: Recording) -> AbstractContextManager[LongRecording]:
        rate = self._settings.sample_rate
        return long_recording(self._spec, *recording, rate, self._folder.root)

    def _task(self, recording: Recording, alignment: Alignment, probe: bool = False) -> LabelTask:
        utterance, speed = recording
        content, key = _content(utterance), self._key(recording, alignment)
        suffix, rate = utterance.path.suffix, self._settings.sample_rate
        return LabelTask(key, suffix, content, speed, alignment, probe, rate)

    def _key(self, recording: Recording, alignment: Alignment) -> str:
        utterance, speed = recording
        with _readable(utterance.path):
            return label_key(
                utterance.path, self._hash, speed, alignment, self._settings.sample_rate
            )

    def _report(self, teacher: TeacherRecord) -> LabelReport:
        rows = rows_in_order(self._recordings, self._keys, self._parts, self._found)
        parts = [self._parts[key] for key in self._keys.values() if key in self._parts]
        wanted = len(self._recordings) - len(parts) + sum(map(len, parts))
        return LabelReport(teacher, rows, wanted, _unmatched(self._spec))


def _outcome(answer: Answer[LabelTask, LabelOutcome]) -> LabelOutcome:
    """Return the outcome of a task, including one whose worker died or took too long."""
    result = answer.result
    if isinstance(result, LostItem):
        return LabelOutcome(answer.item.key, FAILED, result.reason, result.fact)
    return result


def label_here(
    spec: TeacherSpec,
    recordings: Sequence[Recording],
    folder: Path,
    progress: Progress = no_progress,
    *,
    sample_rate: int = RATE,
) -> list[LabelledAudio]:
    """Label in this process what ``folder`` does not hold yet; return what was kept.

    The labels are at ``sample_rate`` Hz. Waits for another process that does the same. Raises as
    `LabelJob.run` does.
    """
    job = LabelJob(spec, recordings, folder, LabelSettings(sample_rate=sample_rate, wait=True))
    report = job.run(InlinePool(TeacherOpener(spec)), progress)
    stored = LabelFolder(folder)
    return [load_labels(stored.path(row.outcome.key)) for row in report.kept]


def recordings_for(
    spec: TeacherSpec, utterances: Iterable[Utterance], vary: bool = False
) -> list[Recording]:
    """Return what a teacher is to convert: every utterance, with ``vary`` at other speeds too.

    With ``vary``, the target's own recordings are used only at other speeds: the target is not its
    own source. From a folder of pairs, only the originals are used; raises `TeacherError` if they
    are to be varied.
    """
    converted: set[Path] = set()
    if isinstance(spec, PairsSpec):
        if vary:
            raise TeacherError(
                "a folder of pairs has no conversions at other speeds; set data.vary = false, or "
                "leave --vary out"
            )
        from edge_vc.teachers.pairs_folder import PairsFolder

        folder = PairsFolder.open(Path(spec.path))
        others = [*folder.unmatched, *(pair.converted for pair in folder.pairs)]
        converted = {path.resolve() for path in others}
    asked = (utterance for utterance in utterances if utterance.path.resolve() not in converted)
    return [(utterance, speed) for utterance in asked for speed in _speeds(utterance, vary)]


def _speeds(utterance: Utterance, vary: bool) -> tuple[float, ...]:
    if not vary:
        return (1.0,)
    return SLOWER_AND_FASTER if utterance.role == "target" else (1.0, *SLOWER_AND_FASTER)


def _content(utterance: Utterance) -> bytes:
    with _readable(utterance.path):
        return utterance.path.read_bytes()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AudioError(f"{path}: cannot be read ({error.strerror})") from error


def _unmatched(spec: TeacherSpec) -> tuple[str, ...]:
    """Return the files of a pairs folder that have no other half."""
    if not isinstance(spec, PairsSpec):
        return ()
    from edge_vc.teachers.pairs_folder import PairsFolder

    root = Path(spec.path)
    unmatched = PairsFolder.open(root).unmatched
    return tuple(path.relative_to(root).as_posix() for path in unmatched)

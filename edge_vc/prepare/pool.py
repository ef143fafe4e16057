"""Prepare recordings in several processes, with progress within long recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_vc.audio.voice_activity import SpeechDetector
from edge_vc.prepare.record import PrepareRecord, save_record
from edge_vc.prepare.settings import PrepareError, PrepareSettings
from edge_vc.prepare.task import PrepareTask, prepare_recording
from edge_vc.workers.inline_pool import InlinePool
from edge_vc.workers.pool import Report, WorkerLostError
from edge_vc.workers.process_pool import ProcessPool
from edge_vc.workers.progress import Progress, PushedProgress
from edge_vc.workers.scheduler import ONCE, Scheduler


@dataclass(frozen=True)
class DetectorOpener:
    """Opens the speech detector in a worker; an `edge_vc.workers.pool.Opener`."""

    settings: PrepareSettings
    root: Path
    """The prepared corpus."""
    records: Path
    """Folder where the record of every finished recording is stored."""

    def __call__(self, report: Report) -> Callable[[PrepareTask], PrepareRecord]:
        """Return the function that prepares one recording, reporting seconds in both passes."""
        detector = SpeechDetector()

        def work(task: PrepareTask) -> PrepareRecord:
            record = prepare_recording(task, self.settings, self.root, detector, report)
            save_record(self.records, record)
            return record

        return work


def prepare_all(
    tasks: Sequence[PrepareTask], opener: DetectorOpener, jobs: int, progress: Progress
) -> Iterator[PrepareRecord]:
    """Yield the record of every task as it is completed; each is stored first.

    The longest recordings are started first. With one job, this process does the work. When the
    caller stops (Ctrl-C), unfinished recordings are left without a record and are redone later.
    ``progress`` is in seconds of audio. Raises `PrepareError` if a process dies.
    """
    tasks = sorted(tasks, key=lambda task: -task.utterance.seconds)
    if not tasks:
        return
    total = sum(task.utterance.seconds for task in tasks)
    bar = PushedProgress(progress, "prepare", max(1, round(total)))
    done = 0.0

    def step(seconds: float) -> None:
        nonlocal done
        done += seconds / 2
        bar.reach(done / total)

    size = min(jobs, len(tasks))
    pool = InlinePool(opener, step) if size == 1 else ProcessPool(opener, size, 1, step)
    try:
        with Scheduler(pool, ONCE) as scheduler:
            for answer in scheduler.work(tasks):
                yield answer.value()
        bar.reach(1.0)
    except WorkerLostError as error:
        raise PrepareError(
            f"{error} (out of memory?); run again to resume, with fewer --jobs"
        ) from error
    finally:
        bar.close()

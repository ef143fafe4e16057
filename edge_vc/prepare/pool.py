"""Recordings worked on by several processes, with progress that moves within a long one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path

from edge_vc.audio.voice_activity import SpeechDetector
from edge_vc.prepare.record import Record, save_record
from edge_vc.prepare.settings import PrepareError, PrepareSettings
from edge_vc.prepare.task import Task, prepare_recording

Progress = Callable[[float], None]
"""Told the seconds of audio that are done, of those that had to be done."""

_POLL_SECONDS = 0.2


class _StoppedError(Exception):
    """The run ends; the recording at hand is left unfinished."""


def prepare_all(
    tasks: Sequence[Task],
    settings: PrepareSettings,
    root: Path,
    records: Path,
    jobs: int,
    progress: Progress,
) -> Iterator[Record]:
    """Yield the record of every task, as they come; each is stored under ``records`` first.

    The longest recordings are begun first. One job works in this process. When the caller stops
    (Ctrl-C), recordings that are not finished are left without a record, to be done again.
    """
    tasks = sorted(tasks, key=lambda task: -task.utterance.seconds)
    if not tasks:
        return
    if jobs == 1 or len(tasks) == 1:
        yield from _alone(tasks, settings, root, records, progress)
    else:
        yield from _together(tasks, settings, root, records, min(jobs, len(tasks)), progress)


def _alone(
    tasks: Sequence[Task], settings: PrepareSettings, root: Path, records: Path, progress: Progress
) -> Iterator[Record]:
    detector = SpeechDetector()
    done = 0.0

    def step(seconds: float) -> None:
        nonlocal done
        done += seconds / 2
        progress(done)

    for task in tasks:
        record = prepare_recording(task, settings, root, detector, step)
        save_record(records, record)
        yield record


def _together(
    tasks: Sequence[Task],
    settings: PrepareSettings,
    root: Path,
    records: Path,
    jobs: int,
    progress: Progress,
) -> Iterator[Record]:
    # Fresh processes: forked ones would inherit the threads' locks of whatever is loaded here.
    context = multiprocessing.get_context("spawn")
    done, stop = context.Value("d", 0.0), context.Event()
    shared = (settings, root, records, done, stop)
    with ProcessPoolExecutor(jobs, context, _begin, shared) as pool:
        waiting: set[Future[Record]] = {pool.submit(_work, task) for task in tasks}
        try:
            while waiting:
                ready, waiting = wait(waiting, _POLL_SECONDS, FIRST_COMPLETED)
                progress(done.value)
                for future in ready:
                    yield future.result()
        except BrokenProcessPool as error:
            raise PrepareError(
                "a worker was killed (out of memory?); run again to go on, with fewer --jobs"
            ) from error
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


class _Worker:
    """What a worker process keeps from recording to recording."""

    def __init__(
        self,
        settings: PrepareSettings,
        root: Path,
        records: Path,
        done: Synchronized[float],
        stop: Event,
    ) -> None:
        self.settings, self.root, self.records = settings, root, records
        self.done, self.stop = done, stop
        self.detector = SpeechDetector()

    def step(self, seconds: float) -> None:
        if self.stop.is_set():
            raise _StoppedError
        with self.done.get_lock():
            self.done.value += seconds / 2

    def work(self, task: Task) -> Record:
        record = prepare_recording(task, self.settings, self.root, self.detector, self.step)
        save_record(self.records, record)
        return record


_worker: _Worker | None = None


def _begin(
    settings: PrepareSettings, root: Path, records: Path, done: Synchronized[float], stop: Event
) -> None:
    global _worker
    # Ctrl-C reaches the whole group; the parent says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker = _Worker(settings, root, records, done, stop)


def _end_with_parent() -> None:
    """Leave when the parent was killed: it can no longer say that there is nothing to do."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(task: Task) -> Record:
    if _worker is None:
        raise RuntimeError("the worker has not begun")
    return _worker.work(task)

"""Workers that are processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from edge_vc.labelling.scheduler import WorkerLostError
from edge_vc.labelling.task import Outcome, Task
from edge_vc.labelling.worker import OPENED, serve
from edge_vc.teachers.spec import TeacherError, TeacherSpec

GRACE_SECONDS = 2.0
"""Between the polite end of a worker, in which it ends its own children, and the other."""


class ProcessWorker:
    """A process with a pipe; dies with this one."""

    def __init__(self, spec: TeacherSpec, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe: Connection
        self.pipe, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=serve, args=(theirs, spec, threads), daemon=False
        )
        self._process.start()
        # The only other end is the child's: it closes when the child dies.
        theirs.close()

    def give(self, task: Task) -> None:
        """Send a task; raises `WorkerLostError` when nobody reads."""
        try:
            self.pipe.send(task)
        except OSError as error:
            raise WorkerLostError(self._how_it_ended()) from error

    def take(self) -> Outcome | None:
        """Read what the worker says; see `Worker.take`."""
        try:
            said = self.pipe.recv()
        except (EOFError, OSError) as error:
            raise WorkerLostError(self._how_it_ended()) from error
        if isinstance(said, Outcome):
            return said
        if said != OPENED:
            raise TeacherError(str(said))
        return None

    def end(self) -> None:
        """Ask it to go, then make it."""
        with suppress(OSError):
            self.pipe.close()
        self._process.terminate()
        self._process.join(GRACE_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()

    def _how_it_ended(self) -> str:
        self._process.join(GRACE_SECONDS)
        code = self._process.exitcode
        if code is None:
            return "the worker stopped talking"
        return f"the worker ended with signal {-code}" if code < 0 else f"with exit code {code}"


class ProcessCrew:
    """Processes on this machine, each with the teacher open."""

    def __init__(self, spec: TeacherSpec, workers: int) -> None:
        self.size = workers
        self._spec = spec
        self._threads = max(1, (os.cpu_count() or 1) // workers)

    def hire(self) -> ProcessWorker:
        """Start a process."""
        return ProcessWorker(self._spec, self._threads)

    def heard(self, workers: Sequence[ProcessWorker], seconds: float) -> Sequence[ProcessWorker]:
        """Wait for a message or an end."""
        ready = wait([worker.pipe for worker in workers], seconds)
        return [worker for worker in workers if worker.pipe in ready]

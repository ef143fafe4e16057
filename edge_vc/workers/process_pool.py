"""Workers that are processes on this machine."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Sequence
from contextlib import suppress
from math import isfinite
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, cast

from edge_vc.workers.child import serve
from edge_vc.workers.pool import (
    Item,
    Message,
    Opener,
    Report,
    Result,
    Worker,
    WorkerLostError,
    ignore_report,
)

GRACE_SECONDS = 2.0
"""Time from SIGTERM, on which a worker ends what it has started, to SIGKILL."""


class ProcessWorker(Generic[Item, Result]):
    """A process with a pipe; ends when its parent does."""

    def __init__(self, opener: bytes, threads: int) -> None:
        # A fresh interpreter: a fork would copy threads and held locks.
        context = multiprocessing.get_context("spawn")
        self._pipe: Connection
        self._pipe, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=serve, args=(theirs, opener, threads), daemon=False
        )
        self._process.start()
        # The only other end is the child's: it closes when the child dies.
        theirs.close()

    @property
    def handle(self) -> Connection:
        """The pipe."""
        return self._pipe

    def give(self, item: Item) -> None:
        """Send an item; raises `WorkerLostError` if the worker has ended."""
        try:
            self._pipe.send(item)
        except OSError as error:
            raise WorkerLostError(self._how_it_ended()) from error

    def take(self) -> Message[Result]:
        """Read a message; see `Worker.take`."""
        try:
            return cast(Message[Result], self._pipe.recv())
        except (EOFError, OSError) as error:
            raise WorkerLostError(self._how_it_ended()) from error

    def end(self) -> None:
        """Ask the process to end, then force it."""
        with suppress(OSError):
            self._pipe.close()
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
            return "the worker stopped responding"
        if code < 0:
            return f"the worker ended with signal {-code}"
        return f"the worker ended with exit code {code}"


class ProcessPool(Generic[Item, Result]):
    """Processes on this machine, each with ``threads`` threads for numerical work.

    A script that uses one needs ``if __name__ == "__main__":``, since each process imports it.
    """

    def __init__(
        self,
        opener: Opener[Item, Result],
        size: int,
        threads: int = 0,
        on_report: Report = ignore_report,
    ) -> None:
        """Take the opener of every process; 0 ``threads`` divides the CPUs evenly."""
        self.size = size
        self._opener = pickle.dumps(opener)
        self._threads = threads or max(1, (os.cpu_count() or 1) // size)
        self._on_report = on_report

    def start(self) -> ProcessWorker[Item, Result]:
        """Start a process."""
        return ProcessWorker(self._opener, self._threads)

    def wait(
        self, workers: Sequence[Worker[Item, Result]], seconds: float
    ) -> Sequence[Worker[Item, Result]]:
        """Wait for a message or the end of a worker."""
        handles = [worker.handle for worker in workers]
        ready = wait(handles, seconds if isfinite(seconds) else None)
        return [worker for worker in workers if worker.handle in ready]

    def report(self, value: Any) -> None:
        """Pass on a value reported by a process."""
        self._on_report(value)

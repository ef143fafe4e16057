"""Runs the tasks of an evaluation, here or in several processes, with equal results."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context

from edge_vc.evaluate.worker import Bench, Outcome, Plan, Task
from edge_vc.settings.optional import EvaluationError

MOST_JOBS = 64

_bench: Bench | Exception | None = None
"""A working process's own; why it has none, where it could not be opened."""


def run_tasks(
    plan: Plan,
    tasks: Sequence[Task],
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Outcome]:
    """Return the outcomes in the order of the tasks.

    Every process computes on one thread, so that sums come out the same everywhere.
    """
    if not 1 <= jobs <= MOST_JOBS:
        raise EvaluationError(f"{jobs} jobs; give 1 to {MOST_JOBS}")
    outcomes: list[Outcome] = []
    for outcome in _here(plan, tasks) if jobs == 1 else _elsewhere(plan, tasks, jobs):
        outcomes.append(outcome)
        if progress:
            progress(len(outcomes), len(tasks))
    return outcomes


def _here(plan: Plan, tasks: Sequence[Task]) -> Iterator[Outcome]:
    with _one_thread():
        bench = Bench(plan)
        for task in tasks:
            yield bench.run(task)


def _elsewhere(plan: Plan, tasks: Sequence[Task], jobs: int) -> Iterator[Outcome]:
    """Start fresh interpreters: a fork would take threads and half-locked locks along."""
    pool = ProcessPoolExecutor(
        min(jobs, len(tasks)), get_context("spawn"), initializer=_start, initargs=(plan,)
    )
    try:
        yield from pool.map(_run, tasks)
    except BrokenProcessPool as error:
        raise EvaluationError(
            "a process of the evaluation died, perhaps for want of memory; try fewer --jobs"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start(plan: Plan) -> None:
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one decides
    torch.set_num_threads(1)
    global _bench
    try:
        _bench = Bench(plan)
    except Exception as error:  # raised here, it would only be printed
        _bench = error


def _run(task: Task) -> Outcome:
    if isinstance(_bench, Exception):
        raise _bench
    if _bench is None:
        raise RuntimeError(f"process {os.getpid()} was not started by an evaluation")
    return _bench.run(task)


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""Run the tasks of an evaluation, in this or several processes, with identical results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from edge_vc.evaluate.worker import EvaluationOutcome, EvaluationPlan, EvaluationTask, SystemRunner
from edge_vc.settings.optional import EvaluationError
from edge_vc.workers.inline_pool import InlinePool
from edge_vc.workers.ordered import run_in_order
from edge_vc.workers.pool import Report, WorkerLostError
from edge_vc.workers.process_pool import ProcessPool
from edge_vc.workers.progress import Progress, no_progress

MOST_JOBS = 64


@dataclass(frozen=True)
class EvaluationOpener:
    """Opens all systems and metrics in a worker; an `edge_vc.workers.pool.Opener`."""

    plan: EvaluationPlan

    def __call__(self, report: Report) -> Callable[[EvaluationTask], EvaluationOutcome]:
        """Return the function that converts and scores one task."""
        return SystemRunner(self.plan).run


def run_tasks(
    plan: EvaluationPlan,
    tasks: Sequence[EvaluationTask],
    jobs: int = 1,
    progress: Progress = no_progress,
) -> list[EvaluationOutcome]:
    """Return the outcomes in the order of the tasks.

    Every process computes on one thread, so that sums are the same everywhere. Raises
    `EvaluationError` for too many jobs and for a process that dies.
    """
    if not 1 <= jobs <= MOST_JOBS:
        raise EvaluationError(f"{jobs} jobs; give 1 to {MOST_JOBS}")
    outcomes = _here(plan, tasks) if jobs == 1 else _in_processes(plan, tasks, jobs)
    return list(progress(outcomes, len(tasks), "evaluate"))


def _here(plan: EvaluationPlan, tasks: Sequence[EvaluationTask]) -> Iterator[EvaluationOutcome]:
    with _one_thread():
        yield from run_in_order(InlinePool(EvaluationOpener(plan)), tasks)


def _in_processes(
    plan: EvaluationPlan, tasks: Sequence[EvaluationTask], jobs: int
) -> Iterator[EvaluationOutcome]:
    pool = ProcessPool(EvaluationOpener(plan), min(jobs, len(tasks)), threads=1)
    try:
        yield from run_in_order(pool, tasks)
    except WorkerLostError as error:
        raise EvaluationError(
            f"{error}: a process of the evaluation died, perhaps out of memory; try fewer --jobs"
        ) from error


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

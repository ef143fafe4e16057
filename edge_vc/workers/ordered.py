"""Results in the order of the items, for any number of processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic

from edge_vc.workers.pool import Item, Report, Result, WorkerPool
from edge_vc.workers.process_pool import ProcessPool
from edge_vc.workers.scheduler import ONCE, Scheduler


@dataclass(frozen=True)
class Calling(Generic[Item, Result]):
    """An opener for a plain function, which must be importable by name."""

    function: Callable[[Item], Result]

    def __call__(self, report: Report) -> Callable[[Item], Result]:
        """Return the function."""
        return self.function


def run_in_order(pool: WorkerPool[Item, Result], items: Sequence[Item]) -> Iterator[Result]:
    """Yield the result of every item, in order and as soon as possible.

    Raises `WorkerLostError` if a worker dies, and any exception raised by the work on an item.
    """
    waiting: dict[int, Result] = {}
    following = 0
    with Scheduler(pool, ONCE) as scheduler:
        for answer in scheduler.work(items):
            waiting[answer.index] = answer.value()
            while following in waiting:
                yield waiting.pop(following)
                following += 1


def parallel_map(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int = 1, threads: int = 1
) -> Iterator[Result]:
    """Yield ``function(item)`` for every item, in order, from ``workers`` processes.

    With one worker, or one item, this process does the work with its own threads. See
    `run_in_order` for the exceptions.
    """
    size = min(workers, len(items))
    if size <= 1:
        yield from map(function, items)
        return
    yield from run_in_order(ProcessPool(Calling(function), size, threads), items)

"""Distribute items to workers and collect results; replace workers that die or time out.

The same loop drives this process, processes on this machine and actors of a Ray cluster.

- The work on an item raises: the exception is raised here and the work ends.
- A worker dies while working on an item: another one retries it, up to `Timeouts.attempts` times
  in all; then its answer is a `LostItem`.
- An item takes longer than `Timeouts.item`: its worker is ended, its answer is a `LostItem`.
- A worker dies before its first item: it is replaced; `WorkerStartError` after two rounds of that.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf
from types import TracebackType
from typing import Generic

from edge_vc.workers.pool import (
    Finished,
    Item,
    Raised,
    Reported,
    Result,
    Worker,
    WorkerLostError,
    WorkerPool,
    WorkerStartError,
)

DIED, NO_ANSWER = "died", "no answer"


@dataclass(frozen=True)
class Timeouts:
    """Limits of the waiting time for workers, in seconds, and of the attempts per item."""

    start: float = 600.0
    item: float = 300.0
    attempts: int = 2
    """How often an item is tried if its worker dies."""


ONCE = Timeouts(item=inf, attempts=1)
"""For trusted work: no time limit, and an item whose worker dies is not retried."""


@dataclass(frozen=True)
class LostItem:
    """Why an item has no result."""

    reason: str
    """`DIED` or `NO_ANSWER`."""
    fact: str


@dataclass(frozen=True)
class Answer(Generic[Item, Result]):
    """Result of an item."""

    index: int
    """Its index among the items, from 0."""
    item: Item
    result: Result | LostItem

    def value(self) -> Result:
        """Return the result; raises `WorkerLostError` if there is none."""
        if isinstance(self.result, LostItem):
            raise WorkerLostError(self.result.fact)
        return self.result


@dataclass
class _Attempt(Generic[Item]):
    index: int
    item: Item
    number: int = 0


@dataclass
class _Slot(Generic[Item]):
    """State of one worker."""

    deadline: float
    ready: bool = False
    attempt: _Attempt[Item] | None = None

    @property
    def busy(self) -> bool:
        return self.attempt is not None or not self.ready


class Scheduler(Generic[Item, Result]):
    """Keeps workers from the first item to the end of the ``with``, over all `work` calls."""

    def __init__(self, pool: WorkerPool[Item, Result], timeouts: Timeouts | None = None) -> None:
        self._pool, self._timeouts = pool, timeouts or Timeouts()
        self._new: Iterator[_Attempt[Item]] = iter(())
        self._again: deque[_Attempt[Item]] = deque()
        self._slots: dict[Worker[Item, Result], _Slot[Item]] = {}
        self._failed_starts = 0

    def __enter__(self) -> Scheduler[Item, Result]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._slots:
            worker.end()
        self._slots.clear()

    def work(self, items: Iterable[Item]) -> Iterator[Answer[Item, Result]]:
        """Yield answers as they arrive, one for each item.

        Items are requested when a worker is free, so they may be generated lazily. Raises any
        exception of an opener or of the work on an item, and `WorkerStartError`.
        """
        self._new = (_Attempt(index, item) for index, item in enumerate(items))
        self._again.clear()
        following = self._next()
        while following or any(slot.attempt for slot in self._slots.values()):
            while following and (idle := self._idle()):
                self._give(idle, following)
                following = self._next()
            if following and len(self._slots) < self._pool.size:
                self._start()
                continue
            yield from self._take()
            following = following or self._next()

    def _next(self) -> _Attempt[Item] | None:
        return self._again.popleft() if self._again else next(self._new, None)

    def _idle(self) -> Worker[Item, Result] | None:
        return next((worker for worker, slot in self._slots.items() if not slot.busy), None)

    def _start(self) -> None:
        worker = self._pool.start()
        self._slots[worker] = _Slot(time.monotonic() + self._timeouts.start)

    def _give(self, worker: Worker[Item, Result], attempt: _Attempt[Item]) -> None:
        slot = self._slots[worker]
        slot.attempt, slot.deadline = attempt, time.monotonic() + self._timeouts.item
        attempt.number += 1
        try:
            worker.give(attempt.item)
        except WorkerLostError:
            # The next round finds it lost, together with its item.
            return

    def _take(self) -> Iterator[Answer[Item, Result]]:
        """Wait for messages, handle them, and end workers that are overdue."""
        busy = [worker for worker, slot in self._slots.items() if slot.busy]
        soonest = min(self._slots[worker].deadline for worker in busy)
        for worker in self._pool.wait(busy, max(0.0, soonest - time.monotonic())):
            try:
                message = worker.take()
            except WorkerLostError as error:
                yield from self._lost(worker, str(error))
                continue
            if isinstance(message, Raised):
                raise message.error
            if isinstance(message, Reported):
                self._pool.report(message.value)
                continue
            slot = self._slots[worker]
            attempt, slot.attempt = slot.attempt, None
            slot.ready, self._failed_starts = True, 0
            if attempt and isinstance(message, Finished):
                yield Answer(attempt.index, attempt.item, message.result)
        now = time.monotonic()
        late = [worker for worker, slot in self._slots.items() if slot.busy]
        for worker in late:
            if self._slots[worker].deadline <= now:
                yield from self._overdue(worker)

    def _lost(self, worker: Worker[Item, Result], how: str) -> Iterator[Answer[Item, Result]]:
        attempt = self._end(worker).attempt
        if attempt is None:
            self._failed_starts += 1
            if self._failed_starts > 2 * self._pool.size:
                raise WorkerStartError(f"workers end while they start: {how}")
        elif attempt.number < self._timeouts.attempts:
            self._again.append(attempt)
        else:
            times = f", {attempt.number} times" if attempt.number > 1 else ""
            yield Answer(attempt.index, attempt.item, LostItem(DIED, f"{how}{times}"))

    def _overdue(self, worker: Worker[Item, Result]) -> Iterator[Answer[Item, Result]]:
        attempt = self._end(worker).attempt
        if attempt is not None:
            fact = f"not done after {self._timeouts.item:g} s"
            yield Answer(attempt.index, attempt.item, LostItem(NO_ANSWER, fact))
        elif not any(slot.ready for slot in self._slots.values()):
            raise WorkerStartError(f"no worker has started after {self._timeouts.start:g} s")

    def _end(self, worker: Worker[Item, Result]) -> _Slot[Item]:
        worker.end()
        return self._slots.pop(worker)

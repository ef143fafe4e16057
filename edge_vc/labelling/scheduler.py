"""Workers that label: each has the teacher open, takes a task, gives an outcome, or is lost.

The same loop drives processes of this machine and actors of a Ray cluster. Workers never write:
what they return is stored here, by one writer, so that nothing is lost or done twice when they
die.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from edge_vc.labelling.task import FAILED, Outcome, Task
from edge_vc.teachers.spec import TeacherError


class WorkerLostError(RuntimeError):
    """A worker that is no more; the message says how it ended."""


class Worker(Protocol):
    """One that opens the teacher when it starts, and says so."""

    def give(self, task: Task) -> None:
        """Hand over a task; raises `WorkerLostError`."""
        ...

    def take(self) -> Outcome | None:
        """Return the outcome, or None: the teacher is open.

        Raises `WorkerLostError`, and `TeacherError` when the teacher could not be opened.
        """
        ...

    def end(self) -> None:
        """End it, whatever it is doing."""
        ...


W = TypeVar("W", bound=Worker)


class Crew(Protocol[W]):
    """Where workers come from."""

    size: int
    """How many work at once."""

    def hire(self) -> W:
        """Start a worker; it is heard of when the teacher is open."""
        ...

    def heard(self, workers: Sequence[W], seconds: float) -> Sequence[W]:
        """Wait until somebody has something to say, and return all who have."""
        ...


@dataclass(frozen=True)
class Patience:
    """How long workers are waited for, in seconds."""

    start: float = 600.0
    task: float = 300.0
    attempts: int = 2
    """How often a task is begun whose worker dies."""


@dataclass
class _Seat:
    """What one worker is about."""

    deadline: float
    ready: bool = False
    task: Task | None = None


class Shift(Generic[W]):
    """Workers from the first task to the end of the ``with``, through any number of task lists."""

    def __init__(self, crew: Crew[W], patience: Patience) -> None:
        self._crew, self._patience = crew, patience
        self._coming: Iterator[Task] = iter(())
        self._again: deque[Task] = deque()
        self._begun: dict[str, int] = {}
        self._seats: dict[W, _Seat] = {}
        self._false_starts = 0

    def __enter__(self) -> Shift[W]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._seats:
            worker.end()

    def work(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Yield outcomes as they come, one for each task.

        Raises `TeacherError` when the teacher cannot be opened.
        """
        self._coming, self._begun = iter(tasks), {}
        following = self._next()
        while following or self._busy():
            while following and (idle := self._idle()):
                self._give(idle, following)
                following = self._next()
            if following and len(self._seats) < self._crew.size:
                self._hire()
                continue
            yield from self._hear()
            following = following or self._next()

    def _next(self) -> Task | None:
        return self._again.popleft() if self._again else next(self._coming, None)

    def _busy(self) -> bool:
        return any(seat.task for seat in self._seats.values())

    def _idle(self) -> W | None:
        idle = (worker for worker, seat in self._seats.items() if seat.ready and not seat.task)
        return next(idle, None)

    def _hire(self) -> None:
        self._seats[self._crew.hire()] = _Seat(time.monotonic() + self._patience.start)

    def _give(self, worker: W, task: Task) -> None:
        seat = self._seats[worker]
        seat.task, seat.deadline = task, time.monotonic() + self._patience.task
        self._begun[task.key] = self._begun.get(task.key, 0) + 1
        try:
            worker.give(task)
        except WorkerLostError:
            # It is heard of as lost in the next round, task and all.
            return

    def _hear(self) -> Iterator[Outcome]:
        """Wait for somebody, take what there is, and part with who is overdue."""
        waited_for = [w for w, seat in self._seats.items() if seat.task or not seat.ready]
        soonest = min(self._seats[worker].deadline for worker in waited_for)
        for worker in self._crew.heard(waited_for, max(0.0, soonest - time.monotonic())):
            try:
                outcome = worker.take()
            except WorkerLostError as error:
                yield from self._lost(worker, str(error))
                continue
            seat = self._seats[worker]
            seat.ready, seat.task, self._false_starts = True, None, 0
            if outcome:
                yield outcome
        now = time.monotonic()
        for worker in [w for w, s in self._seats.items() if (s.task or not s.ready)]:
            if self._seats[worker].deadline <= now:
                yield from self._overdue(worker)

    def _lost(self, worker: W, how: str) -> Iterator[Outcome]:
        task = self._dismiss(worker).task
        if task is None:
            self._false_starts += 1
            if self._false_starts > 2 * self._crew.size:
                raise TeacherError(f"workers end while they open the teacher: {how}")
        elif self._begun[task.key] < self._patience.attempts:
            self._again.append(task)
        else:
            yield Outcome(task.key, FAILED, "died", f"{how}, {self._begun[task.key]} times")

    def _overdue(self, worker: W) -> Iterator[Outcome]:
        task = self._dismiss(worker).task
        if task is not None:
            fact = f"not done after {self._patience.task:g} s"
            yield Outcome(task.key, FAILED, "no answer", fact)
        elif not any(seat.ready for seat in self._seats.values()):
            raise TeacherError(f"the teacher is not open after {self._patience.start:g} s")

    def _dismiss(self, worker: W) -> _Seat:
        worker.end()
        return self._seats.pop(worker)

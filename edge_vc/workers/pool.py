"""What a pool of workers is: where workers come from, and what one of them does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
ItemIn = TypeVar("ItemIn", contravariant=True)
ResultOut = TypeVar("ResultOut", covariant=True)

Report = Callable[[Any], None]
"""Told values while an item is worked on, such as seconds of audio that are done."""


class Opener(Protocol[ItemIn, ResultOut]):
    """Runs once in every worker and returns what works there; pickled, so keep it small."""

    def __call__(self, report: Report) -> Callable[[ItemIn], ResultOut]:
        """Open models and files; ``report`` reaches the ``on_report`` of the pool.

        Whatever it raises ends the work and is raised by `Scheduler.work`.
        """
        ...


class WorkerError(RuntimeError):
    """Workers cannot do the work; one line with the fact."""


class WorkerLostError(WorkerError):
    """A worker has ended or was ended; the message says how."""


class WorkerStartError(WorkerError):
    """No worker gets as far as its first item."""


@dataclass(frozen=True)
class Ready:
    """A worker's first message: its opener has returned."""


@dataclass(frozen=True)
class Reported:
    """A worker's message within an item."""

    value: Any


@dataclass(frozen=True)
class Finished(Generic[Result]):
    """A worker's message after an item."""

    result: Result


@dataclass(frozen=True)
class Raised:
    """A worker's message when its opener or the work on an item raised."""

    error: BaseException


Message = Ready | Reported | Finished[Result] | Raised


class Worker(Protocol[ItemIn, Result]):
    """One that opens when it starts, and then takes one item at a time."""

    @property
    def handle(self) -> Any:
        """What `WorkerPool.wait` of its pool waits for."""
        ...

    def give(self, item: ItemIn) -> None:
        """Hand over an item; raises `WorkerLostError`."""
        ...

    def take(self) -> Message[Result]:
        """Return the next message; raises `WorkerLostError`."""
        ...

    def end(self) -> None:
        """End it, whatever it is doing."""
        ...


class WorkerPool(Protocol[Item, Result]):
    """Where workers come from."""

    @property
    def size(self) -> int:
        """How many work at once."""
        ...

    def start(self) -> Worker[Item, Result]:
        """Start a worker; its first message is `Ready` or `Raised`."""
        ...

    def wait(
        self, workers: Sequence[Worker[Item, Result]], seconds: float
    ) -> Sequence[Worker[Item, Result]]:
        """Return those that have a message or have ended; none after ``seconds``, maybe inf."""
        ...

    def report(self, value: Any) -> None:
        """Pass on what a worker reports."""
        ...


def ignore_report(value: Any) -> None:
    """Do nothing with what a worker reports."""

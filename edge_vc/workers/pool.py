"""Protocols of worker pools: how workers are started and what one of them does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
ItemIn = TypeVar("ItemIn", contravariant=True)
ResultOut = TypeVar("ResultOut", covariant=True)

Report = Callable[[Any], None]
"""Called with values during the work on an item, such as the seconds of audio processed."""


class Opener(Protocol[ItemIn, ResultOut]):
    """Runs once in every worker and returns its work function; pickled, so keep it small."""

    def __call__(self, report: Report) -> Callable[[ItemIn], ResultOut]:
        """Open models and files; ``report`` calls the pool's ``on_report``.

        Any exception ends the work and is raised by `Scheduler.work`.
        """
        ...


class WorkerError(RuntimeError):
    """Workers cannot do the work; a one-line message with the cause."""


class WorkerLostError(WorkerError):
    """A worker has ended or was ended; the message says how."""


class WorkerStartError(WorkerError):
    """No worker reaches its first item."""


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
    """A worker that calls its opener on start, and then takes one item at a time."""

    @property
    def handle(self) -> Any:
        """The object that its pool's `WorkerPool.wait` waits for."""
        ...

    def give(self, item: ItemIn) -> None:
        """Hand over an item; raises `WorkerLostError`."""
        ...

    def take(self) -> Message[Result]:
        """Return the next message; raises `WorkerLostError`."""
        ...

    def end(self) -> None:
        """End the worker, whatever it is doing."""
        ...


class WorkerPool(Protocol[Item, Result]):
    """Starts workers and waits for them."""

    @property
    def size(self) -> int:
        """Number of workers at the same time."""
        ...

    def start(self) -> Worker[Item, Result]:
        """Start a worker; its first message is `Ready` or `Raised`."""
        ...

    def wait(
        self, workers: Sequence[Worker[Item, Result]], seconds: float
    ) -> Sequence[Worker[Item, Result]]:
        """Return workers with a message or that ended; none after ``seconds`` (may be inf)."""
        ...

    def report(self, value: Any) -> None:
        """Pass on a value reported by a worker."""
        ...


def ignore_report(value: Any) -> None:
    """Ignore a reported value."""

"""Workers that are actors of a Ray cluster.

Items and results are sent over the network, so machines need no shared disk. Ray sets an actor's
threads and signals; values it reports within an item are not passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from types import TracebackType
from typing import Any, Generic, cast

from edge_vc.workers.pool import (
    Finished,
    Item,
    Message,
    Opener,
    Raised,
    Ready,
    Result,
    Worker,
    WorkerLostError,
    WorkerStartError,
    ignore_report,
)

INSTALL = "Ray is not installed: pip install 'edge-vc[ray]'"


class RayActor:
    """The code that runs in an actor."""

    def __init__(self) -> None:
        self._work: Callable[[Any], Any] | None = None

    def open(self, opener: Opener[Any, Any]) -> Message[Any]:
        """Call the opener."""
        try:
            self._work = opener(ignore_report)
        except Exception as error:
            return Raised(error)
        return Ready()

    def work(self, item: Any) -> Message[Any]:
        """Work on an item."""
        try:
            if self._work is None:
                raise WorkerStartError("the actor was given an item before it was open")
            return Finished(self._work(item))
        except Exception as error:
            return Raised(error)


class RayWorker(Generic[Item, Result]):
    """An actor and its one pending message."""

    def __init__(self, ray: Any, actor: Any, due: Any) -> None:
        self._ray, self._actor = ray, actor
        self._due = due

    @property
    def handle(self) -> Any:
        """Reference to the pending message."""
        return self._due

    def give(self, item: Item) -> None:
        """Send an item."""
        self._due = self._actor.work.remote(item)

    def take(self) -> Message[Result]:
        """Fetch the message; see `Worker.take`."""
        try:
            return cast(Message[Result], self._ray.get(self._due))
        except self._ray.exceptions.RayError as error:
            raise WorkerLostError(
                f"a worker of the cluster was lost: {_first_line(error)}"
            ) from error

    def end(self) -> None:
        """End the actor, whatever it is doing."""
        self._ray.kill(self._actor)


class RayPool(Generic[Item, Result]):
    """Actors with one CPU each on the cluster at ``address``; a context manager."""

    def __init__(self, opener: Opener[Item, Result], address: str, size: int = 0) -> None:
        """Connect; ``size`` 0 means one actor for each CPU of the cluster.

        Raises `WorkerStartError` if Ray is not installed or does not answer.
        """
        try:
            import ray
        except ImportError as error:
            raise WorkerStartError(INSTALL) from error
        self._ray: Any = ray
        self._opener = opener
        try:
            self._ray.init(address=address, log_to_driver=False, configure_logging=False)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise WorkerStartError(
                f"{address}: no Ray cluster there ({_first_line(error)})"
            ) from error
        cpus = int(self._ray.cluster_resources().get("CPU", 0))
        self.size = size or max(1, cpus)

    def start(self) -> RayWorker[Item, Result]:
        """Request an actor from the cluster; it may have to wait for a free CPU."""
        actor = self._ray.remote(RayActor).options(num_cpus=1, max_restarts=0).remote()
        return RayWorker(self._ray, actor, actor.open.remote(self._opener))

    def wait(
        self, workers: Sequence[Worker[Item, Result]], seconds: float
    ) -> Sequence[Worker[Item, Result]]:
        """Wait for a message or the loss of an actor."""
        by_due = {worker.handle: worker for worker in workers}
        ready, _ = self._ray.wait(list(by_due), timeout=seconds if isfinite(seconds) else None)
        return [by_due[due] for due in ready]

    def report(self, value: Any) -> None:
        """Do nothing: a cluster reports no values."""

    def __enter__(self) -> RayPool[Item, Result]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ray.shutdown()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["no reason given"])[0]

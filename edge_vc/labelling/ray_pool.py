"""Workers that are actors of a Ray cluster.

Recordings travel in the tasks and labels in the outcomes, so machines need no common disk; the
teacher's files have to lie at the same path on each, and their hash is checked there.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any

from edge_vc.labelling.scheduler import WorkerLostError
from edge_vc.labelling.task import Outcome, Task, perform
from edge_vc.teachers.loading import open_teacher, teacher_hash
from edge_vc.teachers.spec import TeacherError, TeacherSpec
from edge_vc.teachers.teacher import Teacher

INSTALL = "labelling on Ray needs it: pip install 'edge-vc[ray]'"


class Desk:
    """What runs in an actor."""

    def __init__(self) -> None:
        self._teacher: Teacher | None = None

    def open(self, spec: TeacherSpec, expected_hash: str) -> str:
        """Open the teacher; return why it cannot be, empty when it is."""
        try:
            found = teacher_hash(spec)
            if found != expected_hash:
                return "the teacher's files on a machine of the cluster differ from those here"
            self._teacher = open_teacher(spec)
        except TeacherError as error:
            return f"on a machine of the cluster: {error}"
        return ""

    def label(self, task: Task) -> Outcome:
        """Perform a task."""
        if self._teacher is None:
            raise TeacherError("asked before the teacher was open")
        return perform(self._teacher, task)


class RayWorker:
    """An actor and the one answer that is due from it."""

    def __init__(self, ray: Any, actor: Any, due: Any) -> None:
        self._ray, self._actor = ray, actor
        self.due = due

    def give(self, task: Task) -> None:
        """Send a task."""
        self.due = self._actor.label.remote(task)

    def take(self) -> Outcome | None:
        """Fetch the answer; see `Worker.take`."""
        try:
            said = self._ray.get(self.due)
        except self._ray.exceptions.RayError as error:
            fact = (str(error).splitlines() or ["no reason given"])[0]
            raise WorkerLostError(f"a worker of the cluster was lost: {fact}") from error
        if isinstance(said, Outcome):
            return said
        if said:
            raise TeacherError(said)
        return None

    def end(self) -> None:
        """End the actor, whatever it is doing."""
        self._ray.kill(self._actor)


class RayCrew:
    """Actors of one CPU each on the cluster at ``address``; a context manager."""

    def __init__(self, spec: TeacherSpec, address: str, workers: int = 0) -> None:
        """Connect; ``workers`` 0 means one for each CPU that the cluster has.

        Raises `TeacherError` when Ray is not installed or does not answer.
        """
        try:
            import ray
        except ImportError as error:
            raise TeacherError(INSTALL) from error
        self._ray: Any = ray
        self._spec = spec
        self._hash = teacher_hash(spec)
        try:
            self._ray.init(address=address, log_to_driver=False, configure_logging=False)
        except (ConnectionError, RuntimeError, ValueError) as error:
            fact = (str(error).splitlines() or ["no reason given"])[0]
            raise TeacherError(f"--ray {address}: no cluster there ({fact})") from error
        cpus = int(self._ray.cluster_resources().get("CPU", 0))
        self.size = workers or max(1, cpus)

    def hire(self) -> RayWorker:
        """Ask the cluster for an actor; it may have to wait for a free CPU."""
        actor = self._ray.remote(Desk).options(num_cpus=1, max_restarts=0).remote()
        return RayWorker(self._ray, actor, actor.open.remote(self._spec, self._hash))

    def heard(self, workers: Sequence[RayWorker], seconds: float) -> Sequence[RayWorker]:
        """Wait for an answer or a death."""
        by_due = {worker.due: worker for worker in workers}
        ready, _ = self._ray.wait(list(by_due), timeout=seconds)
        return [by_due[due] for due in ready]

    def __enter__(self) -> RayCrew:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ray.shutdown()

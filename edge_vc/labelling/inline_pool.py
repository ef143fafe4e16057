"""Labelling in this very process: no start-up, and no way to end what hangs."""

from __future__ import annotations

from collections.abc import Sequence

from edge_vc.labelling.task import Outcome, Task, perform
from edge_vc.teachers.teacher import Teacher


class InlineWorker:
    """Works while it is waited for."""

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher
        self._task: Task | None = None

    def give(self, task: Task) -> None:
        """Remember the task."""
        self._task = task

    def take(self) -> Outcome | None:
        """Do the task; None when there is none, as the teacher is open."""
        return perform(self._teacher, self._task) if self._task else None

    def end(self) -> None:
        """There is nothing to end."""


class InlineCrew:
    """One worker that is us; for teachers that are known not to hang or die."""

    size = 1

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher

    def hire(self) -> InlineWorker:
        """Return the worker."""
        return InlineWorker(self._teacher)

    def heard(self, workers: Sequence[InlineWorker], seconds: float) -> Sequence[InlineWorker]:
        """Return them all: whoever is asked, answers."""
        return workers

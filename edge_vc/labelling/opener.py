"""What a labelling worker opens: a teacher that then labels one task after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edge_vc.teachers.spec import TeacherError, TeacherSpec
from edge_vc.workers.pool import Report

if TYPE_CHECKING:
    from edge_vc.labelling.task import LabelOutcome, LabelTask


@dataclass(frozen=True)
class TeacherOpener:
    """Opens a teacher in a worker; an `edge_vc.workers.pool.Opener`."""

    spec: TeacherSpec
    expected_hash: str = ""
    """`teacher_hash` that the teacher's files must have on the worker; empty for any."""

    def __call__(self, report: Report) -> Callable[[LabelTask], LabelOutcome]:
        """Return a function that labels with the teacher; raises `TeacherError`."""
        from edge_vc.labelling.task import perform
        from edge_vc.teachers.loading import open_teacher, teacher_hash

        if not self.expected_hash:
            return partial(perform, open_teacher(self.spec))
        try:
            if teacher_hash(self.spec) != self.expected_hash:
                raise TeacherError("the teacher's files differ from those here")
            return partial(perform, open_teacher(self.spec))
        except TeacherError as error:
            raise TeacherError(f"on a machine of the cluster: {error}") from error

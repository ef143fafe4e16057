"""A trained student with the running mean that new students have."""

from __future__ import annotations

from dataclasses import replace

from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student


def with_recovering_norm(student: Student) -> Student:
    """Return a float ``student`` with the same weights and the recovering running mean.

    The mean has no weights. Both kinds give features of ordinary speech within a few decibels of
    each other, so the result converts as before, and better after further training.
    """
    if student.config.channel_norm == StudentConfig.channel_norm:
        return student
    moved = Student(replace(student.config, channel_norm=StudentConfig.channel_norm))
    moved.load_state_dict(student.state_dict())
    return moved.train(student.training)

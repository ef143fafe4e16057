"""A student that waits: the same network, given a view of the next hops to learn to use."""

from __future__ import annotations

from dataclasses import replace

import torch

from edge_vc.models.student.student import Student

FIRST = "trunk.0.conv.weight"


def with_lookahead(student: Student, frames: int) -> Student:
    """Return a copy of ``student`` that says the same ``frames`` hops later.

    Its first convolution sees the hops in between with weights of zero, from where training
    goes on. Raises `ValueError` for a student that waits already.
    """
    if student.config.lookahead:
        raise ValueError(f"it waits for {student.config.lookahead} hops already")
    waiting = Student(replace(student.config, lookahead=frames))
    weights = student.state_dict()
    narrow = weights[FIRST]
    unseen = torch.zeros(*narrow.shape[:-1], frames)
    waiting.load_state_dict(weights | {FIRST: torch.cat([narrow, unseen], -1)})
    return waiting.train(student.training)

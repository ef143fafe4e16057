"""A student that waits: the same network, given a view of the next hops to learn to use."""

from __future__ import annotations

from dataclasses import replace

import torch

from edge_vc.models.student.student import Student

FIRST = "trunk.0.conv.weight"
PITCH = "pitch.0.conv.weight"


def with_lookahead(student: Student, frames: int) -> Student:
    """Return a copy of ``student`` that says the same ``frames`` hops later.

    Its first convolution sees the hops in between with weights of zero, from where training
    goes on. Raises `ValueError` for a student that waits already.
    """
    if student.config.lookahead:
        raise ValueError(f"it waits for {student.config.lookahead} hops already")
    waiting = Student(replace(student.config, lookahead=frames, lookahead_in="first"))
    weights = student.state_dict()
    narrow = weights[FIRST]
    unseen = torch.zeros(*narrow.shape[:-1], frames)
    waiting.load_state_dict(weights | {FIRST: torch.cat([narrow, unseen], -1)})
    return waiting.train(student.training)


@torch.no_grad()
def looking_ahead_in_blocks(student: Student) -> Student:
    """Return a copy that looks ahead in its blocks instead of in the first convolution.

    It has to be trained on. Blocks keep their taps and now hear what comes before and after the
    frame that they add to; the first convolution, which sees that frame alone, keeps the sum of
    its taps. Pitch is what it was. Raises `ValueError` for a student that looks ahead in its
    blocks already.
    """
    if student.config.lookahead_in == "blocks":
        raise ValueError("it looks ahead in its blocks already")
    moved = Student(replace(student.config, lookahead_in="blocks"))
    weights, wanted = student.state_dict(), moved.state_dict()
    weights[FIRST] = weights[FIRST].sum(-1, keepdim=True)
    if PITCH in wanted:
        # The oldest frame that it sees is the one that it is asked for.
        known = weights[PITCH]
        weights[PITCH] = torch.cat([known, torch.zeros_like(wanted[PITCH][..., 1:])], -1)
    moved.load_state_dict(weights)
    return moved.train(student.training)

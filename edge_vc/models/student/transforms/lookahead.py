"""A student with look-ahead: the same network with a view of future hops, to be trained."""

from __future__ import annotations

from dataclasses import replace

import torch

from edge_vc.models.student.student import Student

FIRST = "trunk.0.conv.weight"
PITCH = "pitch.0.conv.weight"


def with_lookahead(student: Student, frames: int) -> Student:
    """Return a copy of ``student`` that gives the same output ``frames`` hops later.

    Its first convolution has zero weights for the hops in between, from which training starts.
    Raises `ValueError` for a student that already has a look-ahead.
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

    It has to be trained further. Blocks keep their taps, which now see what comes before and after
    the frame that they add to; the first convolution, which sees only that frame, keeps the sum of
    its taps. The pitch is unchanged. Raises `ValueError` for a student that already looks ahead in
    its blocks.
    """
    if student.config.lookahead_in == "blocks":
        raise ValueError("it looks ahead in its blocks already")
    moved = Student(replace(student.config, lookahead_in="blocks"))
    weights, wanted = student.state_dict(), moved.state_dict()
    weights[FIRST] = weights[FIRST].sum(-1, keepdim=True)
    if PITCH in wanted:
        # The oldest frame that it sees is the one to be predicted.
        known = weights[PITCH]
        weights[PITCH] = torch.cat([known, torch.zeros_like(wanted[PITCH][..., 1:])], -1)
    moved.load_state_dict(weights)
    return moved.train(student.training)

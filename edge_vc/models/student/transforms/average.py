"""The mean of two students' weights."""

from __future__ import annotations

import copy

import torch

from edge_vc.models.student.student import Student


@torch.no_grad()
def averaged(one: Student, other: Student) -> Student:
    """Return a copy of ``one`` whose weights are the mean of both students'.

    Students that were fine-tuned from one predecessor lie close enough together for their mean to
    be as good as either or better (model soups, Wortsman et al. 2022); unrelated ones do not.
    Raises `ValueError` for students of different configurations.
    """
    if one.config != other.config:
        raise ValueError("the two students differ in their configuration")
    mean, theirs = copy.deepcopy(one), other.state_dict()
    for name, values in mean.state_dict().items():
        if values.is_floating_point():
            values.lerp_(theirs[name], 0.5)
    return mean

"""Sharper peaks and deeper valleys in a student's filters, at no cost at run time.

A network that is uncertain of a filter predicts the average of the possible ones, which is smoother
than any of them. Speech coders and statistical synthesis compensate for that with a postfilter
behind the decoder (Chen, Gersho 1995; Yoshimura et al. 2005); here it is folded into the layer that
predicts the filters.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch.nn import functional

from edge_vc.models.student.head import SourceFilterHead
from edge_vc.models.student.student import Student

REACH = 1 / 8
"""Share of the bands, to either side, that a band's level is compared with."""


@torch.no_grad()
def with_postfilter(student: Student, gain: float) -> Student:
    """Return a copy whose log filters deviate ``gain`` times as much from their smoothed course.

    The smoothed course is the mean over the neighbouring bands, for both the harmonic and the noise
    filter. 1 changes nothing; a student without filters, with the istft head, is unchanged.
    """
    if gain == 1 or not isinstance(student.head, SourceFilterHead):
        return student
    sharper = copy.deepcopy(student)
    head = sharper.head
    assert isinstance(head, SourceFilterHead)
    matrix = sharpening(head.size, gain)
    for values in (head.controls.weight, head.controls.bias):
        assert isinstance(values, Tensor)
        filters = values[: head.size * head.filters].unflatten(0, (head.size, head.filters))
        changed = torch.einsum("ij,jf...->if...", matrix, filters[:, :2])
        filters[:, :2] = changed  # a view: predicted phases, if any, stay as they are
    return sharper


def sharpening(bands: int, gain: float) -> Tensor:
    """Return the matrix ``[bands, bands]`` by which a log filter is multiplied."""
    reach = max(1, round(bands * REACH))
    one = torch.eye(bands)
    beyond = functional.pad(one[None], (reach, reach), mode="replicate")
    smooth = functional.avg_pool1d(beyond, 2 * reach + 1, stride=1)[0].T
    return smooth + gain * (one - smooth)

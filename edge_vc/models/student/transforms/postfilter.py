"""Sharper peaks and deeper valleys in a student's filters, at no cost where it runs.

A network that is not sure of a filter answers with the middle of what it may be, which is
smoother than any of it. Speech coders and statistical synthesis make up for that with a postfilter
behind the decoder (Chen, Gersho 1995; Yoshimura et al. 2005); here it is folded into the layer that
the filters come from.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch.nn import functional

from edge_vc.models.student.head import SourceFilterHead
from edge_vc.models.student.student import Student

REACH = 1 / 8
"""Of the bands, to either side: what a band's level is compared with."""


@torch.no_grad()
def with_postfilter(student: Student, gain: float) -> Student:
    """Return a copy whose log filters are ``gain`` times as far from their own smooth course.

    That is the mean over the neighbouring bands of both filters, harmonic and noise. 1 changes
    nothing; a student without filters, of the istft head, stays as it is.
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
        filters[:, :2] = changed  # a view: the phases, where they are predicted, stay
    return sharper


def sharpening(bands: int, gain: float) -> Tensor:
    """Return the matrix ``[bands, bands]`` that a log filter is multiplied by."""
    reach = max(1, round(bands * REACH))
    one = torch.eye(bands)
    beyond = functional.pad(one[None], (reach, reach), mode="replicate")
    smooth = functional.avg_pool1d(beyond, 2 * reach + 1, stride=1)[0].T
    return smooth + gain * (one - smooth)

"""A trained student at another hop, with its weights, as a start for further training."""

from __future__ import annotations

import math

import torch

from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student


@torch.no_grad()
def with_hop(student: Student, hop_ms: float) -> Student:
    """Return a float ``student`` at another hop in milliseconds, with the same weights.

    The contexts cover the same time (see `StudentConfig.at`) and the noise keeps its level. The
    recurrent pitch predictor now advances once per new hop, so the result has to be trained.
    Raises `ValueError` for the plain spectral head, whose weights fit one transform size only.
    """
    config = student.config.at(hop_ms)
    if config == student.config:
        return student
    if config.head != "source-filter":
        raise ValueError("the istft head has weights for one hop only: start with random weights")
    moved = Student(config)
    moved.load_state_dict(student.state_dict())
    _keep_noise_level(moved, student.config)
    return moved.train(student.training)


def _keep_noise_level(student: Student, former: StudentConfig) -> None:
    """Raise the noise filters by as much as a longer inverse transform lowers white noise."""
    change = 0.5 * math.log(student.config.synthesis_window / former.synthesis_window)
    filters = 3 if student.config.phase == "predicted" else 2
    bias = student.get_parameter("head.controls.bias")
    bias[:-1].unflatten(0, (student.config.bands, filters))[:, 1] += change

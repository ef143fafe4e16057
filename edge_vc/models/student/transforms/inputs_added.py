"""A trained student with added conditioning inputs; it converts as before until it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from edge_vc.models.student.inputs import HEAD_INPUTS
from edge_vc.models.student.student import Student
from edge_vc.nn.quantized_conv import quantized_convs
from edge_vc_runtime.bundle.input_spec import InputSpec


@torch.no_grad()
def with_inputs(student: Student, inputs: Sequence[InputSpec]) -> Student:
    """Return a copy of ``student`` that also takes ``inputs``, except those that it already has.

    ``pitch``, ``intonation`` and ``breath`` take effect at once. Others have no effect until the
    student is trained. Raises `ValueError` for a quantised student, whose trunk can take no others.
    """
    have = {spec.name for spec in student.config.inputs}
    new = [spec for spec in inputs if spec.name not in have]
    if not new:
        return student
    if quantized_convs(student) and not all(spec.name in HEAD_INPUTS for spec in new):
        raise ValueError("it is quantised: add inputs to the float student")
    config = replace(student.config, inputs=(*student.config.inputs, *new))
    more = Student(config)
    own, weights = more.state_dict(), student.state_dict()
    for name, value in own.items():
        before = weights.get(name)
        if before is None or before.shape != value.shape:
            weights[name] = _grown(value, before)
    more.load_state_dict(weights)
    return more.train(student.training)


def _grown(fresh: torch.Tensor, before: torch.Tensor | None) -> torch.Tensor:
    """Return zeros of the new shape, with the former values at the beginning of the channels."""
    grown = torch.zeros_like(fresh)
    if before is not None:
        grown[:, : before.shape[1]] = before
    return grown

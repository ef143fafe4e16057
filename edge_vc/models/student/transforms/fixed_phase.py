"""A student with one fixed harmonic phase, from one that predicts it frame by frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch

from edge_vc.audio.io import Samples
from edge_vc.models.student.student import Student

CONTROLS = ("head.controls.weight", "head.controls.bias")


@torch.no_grad()
def with_fixed_phase(student: Student, recordings: Iterable[Samples]) -> Student:
    """Return a copy whose phase is the average of what ``student`` predicts.

    The average is over all frames of ``recordings`` ``[T]``, including unvoiced ones, which scored
    closer to the target than voiced ones alone (``docs/decisions/0007-words-and-one-phase.md``).

    Raises `ValueError` for a student whose phase is already fixed, and if there are no
    recordings.
    """
    if student.config.phase == "fixed" or student.config.head != "source-filter":
        raise ValueError("it predicts no phase that could be fixed")
    hop, found = student.config.hop, []
    for samples in recordings:
        whole = torch.from_numpy(samples[: len(samples) // hop * hop])[None, None, None]
        found.append(student.predict(whole).bands[0, :, 2])
    if not found:
        raise ValueError("no recordings to average the phase over")
    fixed = Student(replace(student.config, phase="fixed"))
    weights = student.state_dict()
    for name in CONTROLS:
        filters, voicing = weights[name][:-1], weights[name][-1:]
        kept = filters.unflatten(0, (student.config.bands, 3))[:, :2].flatten(0, 1)
        weights[name] = torch.cat([kept, voicing])
    fixed.load_state_dict(weights | {"head.phase": torch.cat(found, -1).mean(-1)})
    return fixed.train(student.training)

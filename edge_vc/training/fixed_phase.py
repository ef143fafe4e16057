"""A student whose harmonic filter keeps one phase, from one that predicts it frame by frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch

from edge_vc.audio.io import Samples
from edge_vc.models.student import Student

CONTROLS = ("head.controls.weight", "head.controls.bias")


@torch.no_grad()
def with_fixed_phase(student: Student, recordings: Iterable[Samples]) -> Student:
    """Return a copy whose phase is what ``student`` predicts on average.

    The average is over the voiced frames of ``recordings`` ``[T]``. Raises `ValueError` for a
    student whose phase is fixed already, and where nothing is voiced.
    """
    if student.config.phase == "fixed" or student.config.head != "source-filter":
        raise ValueError("it predicts no phase that could be fixed")
    hop, found = student.config.hop, []
    for samples in recordings:
        whole = torch.from_numpy(samples[: len(samples) // hop * hop])[None, None, None]
        said = student.predict(whole)
        if said.voicing is not None:
            found.append(said.bands[0, :, 2, said.voicing[0, 0, 0] > 0])
    phases = torch.cat(found, -1) if found else torch.empty(0, 0)
    if not phases.numel():
        raise ValueError("nothing is voiced in what the phase was to be found by")
    fixed = Student(replace(student.config, phase="fixed"))
    weights = student.state_dict()
    for name in CONTROLS:
        filters, voicing = weights[name][:-1], weights[name][-1:]
        kept = filters.unflatten(0, (student.config.bands, 3))[:, :2].flatten(0, 1)
        weights[name] = torch.cat([kept, voicing])
    fixed.load_state_dict(weights | {"head.phase": phases.mean(-1)})
    return fixed.train(student.training)

"""Values of a student's conditioning inputs for calibration, fine-tuning and verification."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.inputs import trunk_inputs
from edge_vc_runtime.bundle.input_spec import InputSpec

InputTrack = dict[str, NDArray[np.float32]]
"""Values ``[hops, size]`` by name."""


def varied_inputs(config: StudentConfig, count: int, first: int = 0) -> list[dict[str, Tensor]]:
    """Return inputs ``[1, size, 1, 1]`` of ``count`` recordings, with a blend's entries in turn.

    Values and streams have their default in every other recording and random values in the rest.
    Only what conditions the trunk is varied, since nothing else is quantised. ``first`` is the
    number of the first recording: the same numbers give the same inputs.
    """
    specs = trunk_inputs(config.inputs)
    return [
        {
            spec.name: torch.tensor(_value(spec, index)).float().reshape(1, -1, 1, 1)
            for spec in specs
        }
        for index in range(first, first + count)
    ]


def moving_inputs(specs: Sequence[InputSpec], hops: int, every: int = 40) -> InputTrack:
    """Return inputs that change every ``every`` hops, from their defaults to random values."""
    track: InputTrack = {}
    for place, spec in enumerate(specs):
        steps = [
            spec.default if not step else _drawn(spec, 1000 * place + step)
            for step in range(-(-hops // every))
        ]
        track[spec.name] = np.repeat(np.array(steps, np.float32), every, axis=0)[:hops]
    return track


def track_tensors(track: InputTrack, frames_per_hop: int = 1) -> dict[str, Tensor]:
    """Return a track as the inputs of a single step over all of it, ``[1, size, 1, F]``."""
    return {
        name: torch.from_numpy(np.repeat(values, frames_per_hop, axis=0).T.copy())[None, :, None]
        for name, values in track.items()
    }


def _value(spec: InputSpec, index: int) -> tuple[float, ...]:
    if spec.kind == "blend":
        return tuple(float(entry == index % spec.size) for entry in range(spec.size))
    return spec.default if index % 2 == 0 else _drawn(spec, index)


def _drawn(spec: InputSpec, seed: int) -> tuple[float, ...]:
    drawn = np.random.default_rng([seed, spec.size]).uniform(spec.low, spec.high, spec.size)
    return spec.check(drawn.astype(np.float32).tolist())

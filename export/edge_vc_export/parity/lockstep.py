"""A graph and its model over the same audio, kept in step where rounding parts them.

F0 is rounded to a grid so that phases add up exactly. Two engines whose F0 differs in the last
bit round it to neighbouring steps now and then, about once in a minute or more; from there on
their pulses are a hundredth of a period apart for good, which says nothing about the graph. So
PyTorch then takes over the graph's F0 and phase, and the hops that sounded the step are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from edge_vc.models.student.student import Student
from edge_vc.nn.harmonic import GRID
from edge_vc.nn.layer import State, StreamingLayer, flatten_state, unflatten_state
from edge_vc_export.parity.stream import GraphStream, Samples

F0, PHASE = "head.harmonic.f0", "head.harmonic.phase"
SECONDS_PER_SLIP = 10.0
"""How rare it has to be that an F0 is rounded to either side of a step."""
HOPS_LEFT_OUT = 3
"""A hop's pulses sound in it, in the next analysis window and in the last overlap."""


@dataclass(frozen=True)
class SideBySide:
    """Both outputs ``[T]``, hop by hop, and where they may be compared."""

    graph: Samples
    torch: Samples
    comparable: NDArray[np.bool_]
    """``[T]``: false for the hops around a slip."""
    pitch: Samples | None
    """The graph's F0 in grid steps per hop; None where it has no such state."""
    slips: int
    widest_slip: float
    """In steps of the grid."""


def run_side_by_side(model: StreamingLayer, stream: GraphStream, audio: Samples) -> SideBySide:
    """Step the graph and PyTorch through ``audio`` ``[T]``, whole hops of it."""
    hop, watched = stream.facts.hop, F0 in stream.facts.states
    stream.reset()
    state = model.init_state(1)
    theirs, ours, pitch, slips = [], [], [], []
    for index, block in enumerate(audio.reshape(-1, hop)):
        theirs.append(stream.step(block)[0])
        y, state = model.step(torch.from_numpy(block).reshape(1, 1, 1, hop), state)
        ours.append(y.reshape(-1).numpy())
        if watched:
            pitch.append(float(stream.state(F0).reshape(())))
            apart = abs(float(flatten_state(state)[F0]) - pitch[-1])
            if apart:
                slips.append((index, apart))
                state = _taken_over(flatten_state(state), stream)
    comparable = np.ones(len(theirs), bool)
    for index, _ in slips:
        comparable[index : index + HOPS_LEFT_OUT] = False
    return SideBySide(
        np.concatenate(theirs),
        np.concatenate(ours),
        np.repeat(comparable, hop),
        np.array(pitch, np.float32) if watched else None,
        len(slips),
        max((apart for _, apart in slips), default=0.0),
    )


def too_many_slips(slips: int, seconds: float) -> bool:
    """Return whether F0 differs more often than rounding explains."""
    return slips > 1 + seconds / SECONDS_PER_SLIP


def run_offline(model: StreamingLayer, audio: Samples, pitch: Samples | None) -> Samples:
    """Run ``audio`` ``[T]`` at once; with ``pitch`` per hop in grid steps, on that F0."""
    signal = torch.from_numpy(audio).reshape(1, 1, 1, -1)
    if pitch is None or not isinstance(model, Student):
        return np.asarray(model(signal).reshape(-1).numpy())
    hertz = torch.from_numpy(pitch) * (model.config.sample_rate / GRID)
    forced = model.synthesize(model.predict(signal), f0=hertz.reshape(1, 1, 1, -1))
    return np.asarray(forced.reshape(-1).numpy())


def _taken_over(state: Mapping[str, torch.Tensor], stream: GraphStream) -> State:
    """Return the model's state with the graph's oscillator in it."""
    flat = dict(state)
    for name in (F0, PHASE):
        flat[name] = torch.from_numpy(stream.state(name)).reshape(flat[name].shape)
    return unflatten_state(flat)

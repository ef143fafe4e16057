"""Run a graph and its model in lockstep over the same audio, re-synchronising after F0 slips.

F0 is rounded to a grid, so that phases add up exactly. Two engines whose F0 differs in the last
bit round it to neighbouring grid steps about once a minute or less (a slip); after one, their
pulses stay a hundredth of a period apart, which is not an error of the graph. At a slip PyTorch
therefore takes over the graph's F0 and phase, and the hops that contain the slip are not compared.
In a graph with several frames per step only the last F0 is visible; slips of the others show in
the phase.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from edge_vc.models.student.input_track import InputTrack, track_tensors
from edge_vc.models.student.student import Student
from edge_vc.nn.conditioned import ConditionedLayer
from edge_vc.nn.harmonic import GRID
from edge_vc.nn.layer import State, StreamingLayer, flatten_state, unflatten_state
from edge_vc_export.parity.stream import GraphStream, Samples

F0, PHASE = "head.harmonic.f0", "head.harmonic.phase"
SECONDS_PER_SLIP = 10.0
"""Minimum average interval between F0 slips."""
HOPS_LEFT_OUT = 3
"""Hops affected by a slip: its own, the next analysis window and the last overlap."""


@dataclass(frozen=True)
class Lockstep:
    """Outputs of a graph and its model, hop by hop, and where they can be compared."""

    graph: Samples
    """Audio ``[T]`` of the graph."""
    torch: Samples
    """Audio ``[T]`` of PyTorch."""
    comparable: NDArray[np.bool_]
    """``[T]``: false for the hops around a slip."""
    pitch: Samples | None
    """The graph's F0 in grid steps per frame; None if it has no such state or a step has
    several frames."""
    slips: int
    widest_slip: float
    """In grid steps."""


def run_lockstep(
    model: StreamingLayer, stream: GraphStream, audio: Samples, track: InputTrack | None = None
) -> Lockstep:
    """Step the graph and PyTorch through ``audio`` ``[T]``, which consists of whole hops.

    ``track`` holds the conditioning inputs of every hop; without it, they keep their defaults.
    """
    hop, watched = stream.metadata.hop, F0 in stream.metadata.states
    stream.reset()
    state = model.init_state(1)
    graph, ours, pitch, slips = [], [], [], []
    for index, block in enumerate(audio.reshape(-1, hop)):
        here = {name: values[index] for name, values in (track or {}).items()}
        stream.set_inputs(here)
        graph.append(stream.step(block)[0])
        x = torch.from_numpy(block).reshape(1, 1, 1, hop)
        if isinstance(model, ConditionedLayer):
            inputs = {name: torch.from_numpy(v).reshape(1, -1, 1, 1) for name, v in here.items()}
            y, state = model.step(x, state, inputs)
        else:
            y, state = model.step(x, state)
        ours.append(y.reshape(-1).numpy())
        if watched:
            pitch.append(float(stream.state(F0).reshape(())))
            flat = flatten_state(state)
            apart = abs(float(flat[F0]) - pitch[-1])
            if apart or float(flat[PHASE]) != float(stream.state(PHASE).reshape(())):
                slips.append((index, apart))
                state = _taken_over(flatten_state(state), stream)
    comparable = np.ones(len(graph), bool)
    for index, _ in slips:
        comparable[index : index + HOPS_LEFT_OUT] = False
    return Lockstep(
        np.concatenate(graph),
        np.concatenate(ours),
        np.repeat(comparable, hop),
        np.array(pitch, np.float32) if watched and hop == model.block else None,
        len(slips),
        max((apart for _, apart in slips), default=0.0),
    )


def too_many_slips(slips: int, seconds: float) -> bool:
    """Return whether there are more slips than rounding explains: one, plus one per 10 s."""
    return slips > 1 + seconds / SECONDS_PER_SLIP


def run_offline(
    model: StreamingLayer, audio: Samples, pitch: Samples | None, track: InputTrack | None = None
) -> Samples:
    """Run ``audio`` ``[T]`` in one step; ``pitch``, per frame in grid steps, replaces the F0.

    ``track`` holds the conditioning inputs of every hop, as in `run_lockstep`.
    """
    signal = torch.from_numpy(audio).reshape(1, 1, 1, -1)
    if not isinstance(model, Student):
        return np.asarray(model(signal).reshape(-1).numpy())
    hops = max(len(values) for values in track.values()) if track else 1
    frames = signal.shape[-1] // (model.config.hop * hops)
    inputs = track_tensors(track, frames) if track else None
    if pitch is None:
        return np.asarray(model(signal, inputs).reshape(-1).numpy())
    hertz = torch.from_numpy(pitch) * (model.config.sample_rate / GRID)
    forced = model.synthesize(model.predict(signal, inputs), f0=hertz.reshape(1, 1, 1, -1))
    return np.asarray(forced.reshape(-1).numpy())


def _taken_over(state: Mapping[str, torch.Tensor], stream: GraphStream) -> State:
    """Return the model's state with F0 and phase of the graph's oscillator."""
    flat = dict(state)
    for name in (F0, PHASE):
        flat[name] = torch.from_numpy(stream.state(name)).reshape(flat[name].shape)
    return unflatten_state(flat)

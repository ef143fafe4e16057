"""Parity of a float graph with PyTorch: every sample, offline and hop by hop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from edge_vc.audio.io import Samples
from edge_vc.models.student.input_track import moving_inputs
from edge_vc.nn.layer import StreamingLayer
from edge_vc_export.errors import ParityError
from edge_vc_export.parity.lockstep import run_lockstep, run_offline, too_many_slips
from edge_vc_export.parity.open_stream import open_stream

FP32_TOLERANCE = 1e-4
"""Largest absolute difference of any sample; full scale is 1."""


@dataclass(frozen=True)
class Fp32Parity:
    """Largest absolute sample differences of a float graph, streamed hop by hop."""

    offline: float
    """Against PyTorch over the whole signal at once."""
    streaming: float
    """Against PyTorch hop by hop."""
    seconds: float
    """Duration of the audio compared."""
    pitch_slips: int = 0
    """Hops whose F0 lay between two grid steps and was rounded differently."""


def check_fp32(
    model: StreamingLayer,
    path: str | Path,
    audio: Samples,
    *,
    tolerance: float = FP32_TOLERANCE,
) -> Fp32Parity:
    """Stream ``audio`` ``[T]`` through the graph and compare every sample with PyTorch's.

    Conditioning inputs change over time. PyTorch runs the signal at once and in the graph's hops.
    If the two round an F0 to neighbouring grid steps, PyTorch continues from the graph's phase (see
    `edge_vc_export.parity.lockstep`). Raises `ParityError` beyond ``tolerance``.
    """
    stream = open_stream(path)
    hop = stream.metadata.hop
    audio = audio[: audio.shape[0] // hop * hop]
    training = model.training
    try:
        model.eval()
        with torch.no_grad():
            track = moving_inputs(stream.metadata.inputs, audio.shape[0] // hop)
            lane = run_lockstep(model, stream, audio, track)
            # Run at once, a different F0 may lie between two steps than hop by hop.
            offline = run_offline(model, audio, lane.pitch, track)
    finally:
        model.train(training)
    heard = lane.comparable
    parity = Fp32Parity(
        offline=_largest(lane.graph[heard], offline[heard]),
        streaming=_largest(lane.graph[heard], lane.torch[heard]),
        seconds=audio.shape[0] / stream.metadata.sample_rate,
        pitch_slips=lane.slips,
    )
    if too_many_slips(lane.slips, parity.seconds) or lane.widest_slip > 1:
        raise ParityError(
            f"{path}: F0 differs from PyTorch's in {lane.slips} hops, by up to "
            f"{lane.widest_slip:g} steps of its grid, over {parity.seconds:.1f} s"
        )
    worst = max(parity.offline, parity.streaming)
    if not worst <= tolerance:
        raise ParityError(
            f"{path}: differs from PyTorch by {parity.offline:.2e} (offline) and "
            f"{parity.streaming:.2e} (streaming) over {parity.seconds:.1f} s, "
            f"allowed is {tolerance:.0e}"
        )
    return parity


def _largest(found: Samples, expected: Samples) -> float:
    return float(np.max(np.abs(found - expected), initial=0.0))

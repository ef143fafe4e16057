"""Verification that the exported graph is the model: checks that raise, with the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch

from edge_vc.audio.distance import log_spectral_distance, snr_db
from edge_vc.audio.io import Samples
from edge_vc.nn.layer import StreamingLayer
from edge_vc_export.errors import ExportError
from edge_vc_export.parity.lockstep import run_lockstep, run_offline, too_many_slips
from edge_vc_export.parity.open_stream import open_stream

FP32_TOLERANCE = 1e-4
"""Largest absolute difference of any sample; full scale is 1."""
EDGE_SECONDS = 10.0
"""Length of the beginning and the end that are compared for drift."""
TRUNK_READER = "head.controls"
"""Name of the node whose input is the trunk's output."""


class ParityError(ExportError):
    """A graph that differs from what it was made from; one line with the numbers."""


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
    """Hops whose F0 lay between two steps of the grid and was rounded to either side."""


@dataclass(frozen=True)
class Int8Limits:
    """How far an INT8 graph may be from its float form."""

    least_snr_db: float = 25.0
    """Of the trunk's outputs."""
    largest_distance_db: float = 1.0
    """Log-spectral, of the waveforms."""
    largest_drift_db: float = 1.5
    """By which the last ten seconds' SNR may fall below the first ten's."""


@dataclass(frozen=True)
class Int8Parity:
    """How far an INT8 graph is from its float form."""

    trunk_snr_db: float
    """Signal-to-noise ratio of the trunk's outputs."""
    first_snr_db: float
    """The same over the first ten seconds."""
    last_snr_db: float
    """The same over the last ten seconds."""
    spectral_distance_db: float
    """Log-spectral distance of the waveforms."""
    seconds: float

    @property
    def drift_db(self) -> float:
        """By how much the end is worse than the beginning; negative when it is better."""
        return self.first_snr_db - self.last_snr_db


def check_fp32(
    model: StreamingLayer,
    path: str | Path,
    audio: Samples,
    *,
    tolerance: float = FP32_TOLERANCE,
) -> Fp32Parity:
    """Stream ``audio`` ``[T]`` through the graph and compare every sample with PyTorch's.

    PyTorch runs the signal at once and in the graph's hops. Where the two round an F0 to
    neighbouring steps of its grid, PyTorch goes on from the graph's phase (see
    `edge_vc_export.parity.lockstep`). Raises `ParityError` beyond ``tolerance``.
    """
    stream = open_stream(path)
    hop = stream.metadata.hop
    audio = audio[: audio.shape[0] // hop * hop]
    training = model.training
    try:
        model.eval()
        with torch.no_grad():
            lane = run_lockstep(model, stream, audio)
            # At once, another F0 may lie between two steps than hop by hop.
            offline = run_offline(model, audio, lane.pitch)
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


def check_int8(
    reference: str | Path,
    quantized: str | Path,
    audio: Samples,
    limits: Int8Limits | None = None,
) -> Int8Parity:
    """Stream ``audio`` ``[T]`` through a float graph and its INT8 form and compare.

    The trunk's outputs are compared by signal-to-noise ratio, the waveforms by log-spectral
    distance, the last ten seconds with the first ten for drift: give audio whose end is like
    its beginning. Raises `ParityError` with every figure that is beyond its limit.
    """
    streams = [open_stream(path, [trunk_output(path)]) for path in (reference, quantized)]
    (heard, truth), (rounded, guess) = (stream.run(audio) for stream in streams)
    facts = streams[0].metadata
    edge = min(round(EDGE_SECONDS * facts.sample_rate / facts.hop), truth.shape[-1])
    parity = Int8Parity(
        trunk_snr_db=snr_db(truth, guess),
        first_snr_db=snr_db(truth[..., :edge], guess[..., :edge]),
        last_snr_db=snr_db(truth[..., -edge:], guess[..., -edge:]),
        spectral_distance_db=log_spectral_distance(heard, rounded, facts.sample_rate),
        seconds=heard.shape[0] / facts.sample_rate,
    )
    if broken := _broken(parity, limits or Int8Limits()):
        raise ParityError(f"{quantized}: {'; '.join(broken)}, over {parity.seconds:.1f} s")
    return parity


def _broken(parity: Int8Parity, limits: Int8Limits) -> list[str]:
    """Say every limit that is not kept; a figure that is not a number keeps none."""
    snr, distance = parity.trunk_snr_db, parity.spectral_distance_db
    broken = []
    if not snr >= limits.least_snr_db:
        broken.append(f"trunk SNR is {snr:.1f} dB, allowed from {limits.least_snr_db:g}")
    if not distance <= limits.largest_distance_db:
        most = limits.largest_distance_db
        broken.append(f"log-spectral distance is {distance:.2f} dB, allowed up to {most:g}")
    if not parity.drift_db <= limits.largest_drift_db:
        first, last = parity.first_snr_db, parity.last_snr_db
        most = limits.largest_drift_db
        broken.append(f"SNR falls from {first:.1f} to {last:.1f} dB, allowed by {most:g}")
    return broken


def _largest(found: Samples, expected: Samples) -> float:
    return float(np.max(np.abs(found - expected), initial=0.0))


def trunk_output(path: str | Path) -> str:
    """Return the name of the tensor between trunk and head; both formats call it the same."""
    if Path(path).suffix == ".tflite":
        from edge_vc_export.tflite.file import TfliteFile  # needs the extra `tflite`

        found = TfliteFile.read(path).input_of(TRUNK_READER)
        if found is not None:
            return found
    else:
        for node in onnx.load(path).graph.node:
            if node.name == TRUNK_READER:
                return str(node.input[0])
    raise ParityError(f"{path}: has no node {TRUNK_READER!r}, where its trunk ends is unknown")

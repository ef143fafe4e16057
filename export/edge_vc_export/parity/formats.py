"""Proof that one student's ONNX and TFLite files say the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_vc.audio.distance import snr_db
from edge_vc_export.parity.lockstep import F0, HOPS_LEFT_OUT, PHASE, too_many_slips
from edge_vc_export.parity.open_stream import open_stream
from edge_vc_export.parity.pytorch_int8 import FP32_TOLERANCE, ParityError, trunk_output
from edge_vc_export.parity.stream import GraphStream, Samples

LEAST_SNR_DB = 30.0
"""Of an INT8 file's trunk against the other format's."""


@dataclass(frozen=True)
class Agreement:
    """How far two files of one student are apart, streamed hop by hop."""

    difference: float
    """Largest absolute difference of any sample; full scale is 1."""
    trunk_snr_db: float
    """Signal-to-noise ratio of one trunk's outputs against the other's."""
    seconds: float
    pitch_slips: int = 0
    """Hops whose F0 lay between two steps of the grid and was rounded to either side."""


def check_agreement(
    reference: str | Path,
    other: str | Path,
    audio: Samples,
    *,
    tolerance: float = FP32_TOLERANCE,
    least_snr_db: float = LEAST_SNR_DB,
) -> Agreement:
    """Stream ``audio`` ``[T]`` through both files, of one precision, and compare them.

    Float files have to agree in every sample to ``tolerance``, INT8 ones in the trunk's outputs
    to ``least_snr_db``: a value halfway between two integers may become either. Where an F0 is
    rounded to neighbouring steps, the second file goes on from the first one's phase (see
    `edge_vc_export.parity.lockstep`). Raises `ParityError` beyond that.
    """
    probe = trunk_output(reference)
    streams = open_stream(reference, [probe]), open_stream(other, [probe])
    agreement = _compare(*streams, audio)
    if too_many_slips(agreement.pitch_slips, agreement.seconds):
        raise ParityError(
            f"{other}: F0 differs from that of {reference} in {agreement.pitch_slips} hops over "
            f"{agreement.seconds:.1f} s"
        )
    if streams[0].facts.precision == "fp32" and not agreement.difference <= tolerance:
        raise ParityError(
            f"{other}: differs from {reference} by {agreement.difference:.2e} over "
            f"{agreement.seconds:.1f} s, allowed is {tolerance:.0e}"
        )
    if not agreement.trunk_snr_db >= least_snr_db:
        raise ParityError(
            f"{other}: its trunk is {agreement.trunk_snr_db:.1f} dB from that of {reference}, "
            f"allowed from {least_snr_db:g}"
        )
    return agreement


def _compare(reference: GraphStream, other: GraphStream, audio: Samples) -> Agreement:
    hop, watched = reference.facts.hop, F0 in reference.facts.states
    blocks = audio[: audio.shape[0] // hop * hop].reshape(-1, hop)
    slips: list[int] = []
    truth, guess, apart = [], [], []
    for index, block in enumerate(blocks):
        expected, found = reference.step(block), other.step(block)
        if watched and (reference.state(F0) != other.state(F0)).any():
            slips.append(index)
            for name in (F0, PHASE):
                other.set_state(name, reference.state(name))
        truth.append(expected[1].reshape(-1))
        guess.append(found[1].reshape(-1))
        apart.append(float(np.abs(expected[0] - found[0]).max()))
    comparable = np.ones(len(apart), bool)
    for index in slips:
        comparable[index : index + HOPS_LEFT_OUT] = False
    return Agreement(
        difference=float(np.max(np.array(apart)[comparable], initial=0.0)),
        trunk_snr_db=snr_db(np.concatenate(truth), np.concatenate(guess)),
        seconds=blocks.size / reference.facts.sample_rate,
        pitch_slips=len(slips),
    )

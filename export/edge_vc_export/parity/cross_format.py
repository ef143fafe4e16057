"""Cross-format parity of the ONNX and TFLite files of one student."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_vc.audio.distance import snr_db
from edge_vc.models.student.input_track import moving_inputs
from edge_vc_export.errors import ParityError
from edge_vc_export.parity.fp32 import FP32_TOLERANCE
from edge_vc_export.parity.lockstep import F0, HOPS_LEFT_OUT, PHASE, too_many_slips
from edge_vc_export.parity.open_stream import open_stream
from edge_vc_export.parity.stream import GraphStream, Samples
from edge_vc_export.parity.trunk_output import trunk_output

LEAST_SNR_DB = 30.0
"""Minimum SNR of an INT8 file's trunk outputs against the other format's."""


@dataclass(frozen=True)
class CrossFormatParity:
    """Difference of two files of one student, streamed hop by hop."""

    difference: float
    """Largest absolute difference of any sample; full scale is 1."""
    trunk_snr_db: float
    """Signal-to-noise ratio of one trunk's outputs against the other's."""
    seconds: float
    pitch_slips: int = 0
    """Hops whose F0 lay between two grid steps and was rounded differently."""


def check_cross_format(
    reference: str | Path,
    other: str | Path,
    audio: Samples,
    *,
    tolerance: float = FP32_TOLERANCE,
    least_snr_db: float = LEAST_SNR_DB,
) -> CrossFormatParity:
    """Stream ``audio`` ``[T]`` through both files, of one precision, and compare them.

    Samples of float files may differ by ``tolerance``; trunk outputs of INT8 files must reach an
    SNR of ``least_snr_db``, since a value halfway between two integers may be rounded to either.
    After an F0 slip the second file continues from the first one's phase (see
    `edge_vc_export.parity.lockstep`). Raises `ParityError` beyond these limits.
    """
    probe = trunk_output(reference)
    streams = open_stream(reference, [probe]), open_stream(other, [probe])
    parity = _compare(*streams, audio)
    if too_many_slips(parity.pitch_slips, parity.seconds):
        raise ParityError(
            f"{other}: F0 differs from that of {reference} in {parity.pitch_slips} hops over "
            f"{parity.seconds:.1f} s"
        )
    if streams[0].metadata.precision == "fp32" and not parity.difference <= tolerance:
        raise ParityError(
            f"{other}: differs from {reference} by {parity.difference:.2e} over "
            f"{parity.seconds:.1f} s, allowed is {tolerance:.0e}"
        )
    if not parity.trunk_snr_db >= least_snr_db:
        raise ParityError(
            f"{other}: its trunk is {parity.trunk_snr_db:.1f} dB from that of {reference}, "
            f"allowed from {least_snr_db:g}"
        )
    return parity


def _compare(reference: GraphStream, other: GraphStream, audio: Samples) -> CrossFormatParity:
    hop, watched = reference.metadata.hop, F0 in reference.metadata.states
    blocks = audio[: audio.shape[0] // hop * hop].reshape(-1, hop)
    slips: list[int] = []
    truth, guess, apart = [], [], []
    track = moving_inputs(reference.metadata.inputs, len(blocks))
    for index, block in enumerate(blocks):
        for stream in (reference, other):
            stream.set_inputs({name: values[index] for name, values in track.items()})
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
    return CrossFormatParity(
        difference=float(np.max(np.array(apart)[comparable], initial=0.0)),
        trunk_snr_db=snr_db(np.concatenate(truth), np.concatenate(guess)),
        seconds=blocks.size / reference.metadata.sample_rate,
        pitch_slips=len(slips),
    )

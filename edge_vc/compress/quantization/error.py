"""How close two students are that should be the same: float and INT8."""

from __future__ import annotations

import torch
from torch import Tensor

from edge_vc.audio.distance import log_spectral_distance, snr_db
from edge_vc.compress.pipeline.stage import Metrics
from edge_vc.models.student.student import Student

EDGE_SECONDS = 10.0
"""Length of the beginning and the end that are compared for drift."""


@torch.no_grad()
def compare(student: Student, quantized: Student, audio: Tensor) -> Metrics:
    """Convert ``audio`` ``[1, 1, 1, T]`` with both and say how far the second is off.

    ``trunk_snr_db`` over the trunk's outputs, also for the first and last ten seconds
    (``snr_first_db``, ``snr_last_db``: drift shows where both say the same, as in the speech that
    `edge_vc_export.parity.pytorch_int8` takes; other speech differs by decibels of itself), and
    ``lsd_db`` of the waveforms.
    """
    audio = audio[..., : audio.shape[-1] // student.config.hop * student.config.hop]
    truth, guess = student.predict(audio), quantized.predict(audio)
    edge = round(EDGE_SECONDS * student.config.sample_rate / student.config.hop)
    first = snr_db(truth.features[..., :edge], guess.features[..., :edge])
    last = snr_db(truth.features[..., -edge:], guess.features[..., -edge:])
    heard, guessed = student.synthesize(truth).flatten(), quantized.synthesize(guess).flatten()
    return {
        "trunk_snr_db": snr_db(truth.features, guess.features),
        "snr_first_db": first,
        "snr_last_db": last,
        "lsd_db": log_spectral_distance(heard, guessed, student.config.sample_rate),
    }

"""How close two students are that should be the same: float and INT8."""

from __future__ import annotations

import torch
from torch import Tensor

from edge_vc.compress.stage import Metrics
from edge_vc.models.student import Student

EDGE_SECONDS = 10.0
"""Length of the beginning and the end that are compared for drift."""


def snr_db(reference: Tensor, other: Tensor) -> float:
    """Signal-to-noise ratio of ``other`` against ``reference``, same shape, in dB."""
    noise = (other - reference).square().sum().clamp_min(1e-20)
    return float(10 * torch.log10(reference.square().sum().clamp_min(1e-20) / noise))


def log_spectral_distance_db(reference: Tensor, other: Tensor, window: int = 512) -> float:
    """Log-spectral distance of two signals ``[T]`` in dB (Gray and Markel, 1976).

    Root mean square over bins, mean over frames. Magnitudes more than 80 dB below the
    reference's largest are raised to there: nobody hears whether silence is silent.
    """
    taper = torch.hann_window(window)
    a, b = (
        torch.stft(x, window, window // 4, window=taper, return_complex=True).abs()
        for x in (reference, other)
    )
    floor = a.max() * 1e-4 + 1e-12
    ratio = 20 * torch.log10(a.clamp_min(floor) / b.clamp_min(floor))
    return float(ratio.square().mean(dim=0).sqrt().mean())


@torch.no_grad()
def compare(student: Student, quantized: Student, audio: Tensor) -> Metrics:
    """Convert ``audio`` ``[1, 1, 1, T]`` with both and say how far the second is off.

    ``trunk_snr_db`` over the trunk's outputs, also for the first and last ten seconds
    (``snr_first_db``, ``snr_last_db``: drift shows where both say the same, as in the speech that
    `edge_vc_export.parity` takes; other speech differs by decibels of itself), and
    ``lsd_db`` of the waveforms.
    """
    audio = audio[..., : audio.shape[-1] // student.config.hop * student.config.hop]
    truth, guess = student.predict(audio), quantized.predict(audio)
    edge = round(EDGE_SECONDS * student.config.sample_rate / student.config.hop)
    first = snr_db(truth.features[..., :edge], guess.features[..., :edge])
    last = snr_db(truth.features[..., -edge:], guess.features[..., -edge:])
    heard, rounded = student.synthesize(truth), quantized.synthesize(guess)
    return {
        "trunk_snr_db": snr_db(truth.features, guess.features),
        "snr_first_db": first,
        "snr_last_db": last,
        "lsd_db": log_spectral_distance_db(heard.flatten(), rounded.flatten()),
    }

"""How close two systems' versions of a sentence are."""

from __future__ import annotations

from dataclasses import dataclass

from edge_vc.audio.distance import log_spectral_distance, snr_db
from edge_vc.audio.io import Samples
from edge_vc.evaluate.metrics.pesq import pesq
from edge_vc.evaluate.metrics.stoi import stoi


@dataclass(frozen=True)
class Closeness:
    """One sentence by one system against the same by another."""

    utt_id: str
    speaker: str
    sex: str
    stoi: float | None
    """About 0 to 1."""
    pesq: float | None
    """1.0 to 4.64."""
    snr_db: float | None
    lsd_db: float | None
    """Log-spectral distance."""


def compare(
    utt_id: str, speaker: str, sex: str, reference: Samples, other: Samples, sample_rate: int
) -> Closeness:
    """Compare ``other`` ``[T]`` with ``reference`` ``[T]``; None for what silence does not have."""
    silent = not reference.any()
    return Closeness(
        utt_id,
        speaker,
        sex,
        stoi=stoi(reference, other, sample_rate),
        pesq=pesq(reference, other, sample_rate),
        snr_db=None if silent else snr_db(reference, other),
        lsd_db=None if silent else log_spectral_distance(reference, other, sample_rate),
    )

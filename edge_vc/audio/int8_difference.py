"""Difference between an INT8 student and its float form, as compression and export measure it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from edge_vc.audio.distance import log_spectral_distance, snr_db

EDGE_SECONDS = 10.0
"""Length of the first and last segment that are compared for drift."""


@dataclass(frozen=True)
class Int8Difference:
    """Difference of INT8 from float over one signal; the fields are the keys of the metrics."""

    trunk_snr_db: float
    """Signal-to-noise ratio of the trunk's outputs."""
    snr_first_db: float
    """The same over the first ten seconds."""
    snr_last_db: float
    """The same over the last ten seconds."""
    lsd_db: float
    """Log-spectral distance of the waveforms."""

    @property
    def drift_db(self) -> float:
        """SNR loss from the beginning to the end; negative if the end is better.

        Meaningful only for audio whose end resembles its beginning, like that of
        `edge_vc_export.parity.speech`: other speech differs by some decibels anyway.
        """
        return self.snr_first_db - self.snr_last_db


@dataclass(frozen=True)
class Rendering:
    """Output of one form of a student for a signal."""

    waveform: ArrayLike
    """``[T]``."""
    trunk: ArrayLike
    """The trunk's outputs ``[..., F]``, one frame per hop."""


def int8_difference(
    reference: Rendering, quantized: Rendering, *, sample_rate: int, hop: int
) -> Int8Difference:
    """Return how far ``quantized`` is from the float ``reference``.

    ``sample_rate`` in Hz, ``hop`` in samples. A signal shorter than ten seconds is both its
    beginning and its end. Raises `ValueError` if the two differ in shape.
    """
    edge = round(EDGE_SECONDS * sample_rate / hop)
    truth, guess = np.asarray(reference.trunk), np.asarray(quantized.trunk)
    return Int8Difference(
        trunk_snr_db=snr_db(truth, guess),
        snr_first_db=snr_db(truth[..., :edge], guess[..., :edge]),
        snr_last_db=snr_db(truth[..., -edge:], guess[..., -edge:]),
        lsd_db=log_spectral_distance(reference.waveform, quantized.waveform, sample_rate),
    )

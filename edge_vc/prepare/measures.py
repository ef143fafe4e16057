"""Measurements of a piece for the summary and the plots."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import welch

from edge_vc.audio.io import Samples
from edge_vc.audio.pitch import track_pitch
from edge_vc.prepare.settings import SAMPLE_RATE

F0_EDGES_HZ = np.geomspace(60, 480, 49)
"""Bin edges of the F0 histogram, sixteen per octave."""
BAND_EDGES_HZ = np.geomspace(60, 8000, 43)
"""Band edges of the long-term spectrum, about six per octave."""

_LOOKED_AT_SECONDS = 4.0
_HOP = 160


def f0_counts(samples: Samples) -> tuple[int, ...]:
    """Return how many voiced 10 ms frames fall into each bin of `F0_EDGES_HZ`.

    Only the middle four seconds count: tracking F0 costs more than everything else together.
    """
    spare = max(0, samples.shape[0] - round(_LOOKED_AT_SECONDS * SAMPLE_RATE))
    middle = samples[spare // 2 : samples.shape[0] - (spare - spare // 2)]
    pitch = track_pitch(middle, SAMPLE_RATE, _HOP, F0_EDGES_HZ[0], F0_EDGES_HZ[-1])
    counts, _ = np.histogram(pitch.f0[pitch.voiced], F0_EDGES_HZ)
    return tuple(int(count) for count in counts)


def band_spectrum_db(samples: Samples) -> tuple[float, ...]:
    """Return the mean power per Hz in dB of each band of `BAND_EDGES_HZ` (Welch 1967)."""
    hertz, power = welch(samples, SAMPLE_RATE, nperseg=min(2048, samples.shape[0]))
    bands = np.digitize(hertz, BAND_EDGES_HZ) - 1
    inside = (bands >= 0) & (bands < BAND_EDGES_HZ.size - 1)
    total = np.bincount(bands[inside], power[inside], BAND_EDGES_HZ.size - 1)
    count = np.bincount(bands[inside], minlength=BAND_EDGES_HZ.size - 1)
    # The lowest bands may be narrower than a bin: their power is interpolated.
    filled = np.interp(
        np.arange(count.size), np.flatnonzero(count), (total / np.maximum(count, 1))[count > 0]
    )
    return tuple(round(float(value), 1) for value in decibels(filled))


def decibels(power: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return ``10 log10`` of a power, at least -120 dB."""
    level: NDArray[np.float64] = 10 * np.log10(np.maximum(power.astype(np.float64), 1e-12))
    return level

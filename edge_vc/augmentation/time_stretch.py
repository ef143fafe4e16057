"""Faster and slower speech with unchanged pitch."""

from __future__ import annotations

import numpy as np

from edge_vc.audio.io import AudioError, Samples

_WINDOW_SECONDS = 0.04
_SEARCH_SECONDS = 0.012


def stretch(samples: Samples, sample_rate: int, factor: float) -> Samples:
    """Return speech ``factor`` times as long, ``[round(T * factor)]``.

    Overlap-add of windows that are shifted by up to 12 ms to where they best continue the waveform
    (WSOLA, Verhelst and Roelands 1993). Between 0.5 and 2, words sound natural.
    """
    if not 0.25 <= factor <= 4:
        raise AudioError(f"cannot stretch by {factor}; give 0.25 to 4")
    window = round(_WINDOW_SECONDS * sample_rate) // 2 * 2
    hop, reach = window // 2, round(_SEARCH_SECONDS * sample_rate)
    length = round(samples.shape[0] * factor)
    if factor == 1 or samples.shape[0] < window:
        return np.resize(samples, length).astype(np.float32) if length else samples[:0]
    hann = np.hanning(window + 1)[:-1]
    padded = np.pad(samples.astype(np.float64), (hop + reach, 2 * window + 2 * reach))
    made = np.zeros(length + 2 * window)
    # Places are those of window starts; the first window is centred on the first sample.
    place = reach
    for number, target in enumerate(range(0, length + hop, hop)):
        wanted = min(round(target / factor) + reach, padded.shape[0] - window - 2 * reach)
        if number:
            follows = padded[place + hop : place + hop + window]
            place = wanted + _best_lag(padded, wanted, follows, reach)
        made[target : target + window] += hann * padded[place : place + window]
    return made[hop : hop + length].astype(np.float32)


def _best_lag(
    signal: np.ndarray[tuple[int], np.dtype[np.float64]],
    place: int,
    follows: np.ndarray[tuple[int], np.dtype[np.float64]],
    reach: int,
) -> int:
    """Return the shift from ``place``, within ``reach``, to the window most like ``follows``."""
    around = signal[place - reach : place + reach + follows.shape[0]]
    likeness = np.correlate(around, follows, mode="valid")
    energy = np.convolve(np.square(around), np.ones(follows.shape[0]), mode="valid")
    merit = likeness / np.sqrt(np.maximum(energy, 1e-12))
    return int(merit.argmax()) - reach

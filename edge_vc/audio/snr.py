"""Signal-to-noise ratio of speech."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.voice_activity import Probabilities

HIGHEST_DB = 80.0
"""Result if there is no noise at all."""

_SPEECH = 0.5
_PAUSE = 0.1
_FEW = 3


def snr_db(power: NDArray[np.floating], probabilities: Probabilities) -> float:
    """Estimate the signal-to-noise ratio in dB, within 0 and `HIGHEST_DB`.

    ``power`` is the mean square of each frame, ``probabilities`` tell which contain speech (see
    `voice_activity`). Noise is measured in the quieter half of the pauses, since reverberation and
    breaths are not noise; without pauses, in the quietest twentieth of all frames. The result is
    NaN without speech.
    """
    speech = power[probabilities >= _SPEECH]
    if not speech.size:
        return float("nan")
    pauses = np.sort(power[probabilities < _PAUSE])
    if pauses.size < _FEW:
        pauses = np.sort(power)[: max(1, power.size // 10)]
    noise = float(pauses[: max(1, pauses.size // 2)].mean())
    signal = float(speech.mean()) - noise
    if noise <= 0 or signal / noise >= 10 ** (HIGHEST_DB / 10):
        return HIGHEST_DB
    return float(10 * np.log10(max(signal / noise, 1.0)))

"""Audio inside the runtime."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Mono audio ``[T]``, full scale at 1.0."""


def stays_within(audio: Samples, limit: float) -> bool:
    """Return whether no sample of ``[T]``, ``T > 0``, is beyond ±``limit``; False where one is NaN.

    No sample is larger than the root of all their squares, which for a hop of ordinary speech says
    enough, and costs a tenth of ``audio.max()``.
    """
    if audio.dot(audio) <= limit * limit:
        return True
    return bool(audio[audio.argmax()] <= limit and audio[audio.argmin()] >= -limit)

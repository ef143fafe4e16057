"""Samples as 16-bit integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.samples import Samples


def to_int16(samples: Samples, name: str) -> NDArray[np.int16]:
    """Return 16-bit values; raises `AudioIOError` if the model produced NaN or infinity."""
    if not np.isfinite(samples).all():
        raise AudioIOError(f"{name}: the model produced NaN or infinity; check its bundle")
    values: NDArray[np.int16] = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2")
    return values

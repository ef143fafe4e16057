"""A warp of the frequency axis, as a matrix over mel bands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def warp_matrix(warp: float, centres: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return ``[bands, bands]`` that warps log-mel bands with ``centres`` ``[bands]`` in Hz.

    A formant at ``f`` moves to ``f * warp``; values between bands are interpolated linearly.
    """
    bands = len(centres)
    position = np.interp(centres / warp, centres, np.arange(bands))
    below = np.minimum(position.astype(int), bands - 2)
    part = position - below
    matrix = np.zeros((bands, bands), np.float32)
    matrix[np.arange(bands), below] = 1 - part
    matrix[np.arange(bands), below + 1] += part
    return matrix

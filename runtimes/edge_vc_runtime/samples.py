"""The type of audio inside the runtime."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Mono audio ``[T]``, full scale at 1.0."""

"""What the default teacher is trained on: recordings with their pitch, noises, rooms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_vc.data.pair_set import PairSet


@dataclass(frozen=True)
class Pack:
    """What a pack holds."""

    pairs: tuple[PairSet, ...]
    noises: tuple[NDArray[np.float32], ...]
    rooms: tuple[NDArray[np.float32], ...]

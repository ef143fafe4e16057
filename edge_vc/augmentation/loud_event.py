"""A loud event before a recording, from which a running mean has to recover."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples


def loud_event(speech: Samples, sample_rate: int, rng: np.random.Generator) -> Samples:
    """Return up to 4 s at full scale ``[T]``, drawn: bang, knocks, noise, or ``speech`` shouted.

    Less than half a second of silence follows.
    """
    kind = rng.integers(4)
    seconds = (0.1, 0.1, rng.uniform(0.5, 3.0), rng.uniform(1.0, 3.0))[kind]
    length = round(seconds * sample_rate)
    event: NDArray[np.floating[Any]]
    if kind == 3:
        event = np.clip(np.resize(speech, length) * 40.0, -1.0, 1.0)
    else:
        event = rng.uniform(-1, 1, length)
    if kind == 1:
        gap = np.zeros(round(rng.uniform(0.2, 0.5) * sample_rate))
        event = np.concatenate([np.concatenate([event, gap])] * int(rng.integers(2, 7)))
    silence = np.zeros(round(rng.uniform(0, 0.5) * sample_rate))
    return np.concatenate([event, silence]).astype(np.float32)

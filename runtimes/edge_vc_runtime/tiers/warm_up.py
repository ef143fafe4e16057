"""Warm-up steps, run before a card is opened."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from edge_vc_runtime.live.converter import HopConverter

_HOPS = 50
_LEVEL = 0.05  # -26 dBFS: a voice gate is open


def warm_up(converter: HopConverter) -> float:
    """Run 50 hops of noise, reset, and return the longest step of the second half in s.

    The first steps of an engine touch its memory for the first time, and take several times as
    long as later ones.
    """
    generator = np.random.default_rng(0)
    longest = 0.0
    for index in range(_HOPS):
        hop = (_LEVEL * generator.standard_normal(converter.hop)).astype(np.float32)
        begin = perf_counter()
        converter.step(hop)
        if index >= _HOPS // 2:
            longest = max(longest, perf_counter() - begin)
    converter.reset()
    return longest

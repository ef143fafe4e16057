"""Whether a hop stays within a limit."""

from __future__ import annotations

import numpy as np
import pytest

from edge_vc_runtime.samples import stays_within


@pytest.mark.parametrize("limit", [1.0, 0.944])
@pytest.mark.parametrize("loud", [0.01, 0.9])  # the quick answer, and the search
def test_one_sample_beyond_the_limit(limit: float, loud: float) -> None:
    audio = np.full(160, loud, np.float32)
    assert stays_within(audio, limit)
    for value in (limit, -limit):
        audio[77] = value
        assert stays_within(audio, limit + 1e-6)
    for value in (limit + 1e-4, -limit - 1e-4, np.nan, np.inf, -np.inf, 1e30):
        audio[77] = value
        assert not stays_within(audio, limit)


@pytest.mark.parametrize("length", [1, 7, 160])
def test_it_says_what_the_largest_sample_says(length: int) -> None:
    rng = np.random.default_rng(length)
    for scale in (0.02, 0.3, 0.5, 0.99, 1.01, 2.0):
        for _ in range(20):
            audio = (scale * rng.uniform(-1, 1, length)).astype(np.float32)
            assert stays_within(audio, 1.0) == bool(np.abs(audio).max() <= 1.0)

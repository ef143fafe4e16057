from __future__ import annotations

import numpy as np
import pytest

from edge_vc.augmentation.loud_event import loud_event


@pytest.mark.parametrize("seed", range(12))
def test_a_loud_event_is_at_full_scale_and_over_soon(seed: int) -> None:
    speech = 0.05 * np.sin(np.arange(16000) / 9).astype(np.float32)
    event = loud_event(speech, 16000, np.random.default_rng(seed))
    assert event.dtype == np.float32
    assert 0.9 < np.abs(event).max() <= 1.0
    assert 1600 <= len(event) <= 16000 * 4.2
    assert np.array_equal(event, loud_event(speech, 16000, np.random.default_rng(seed)))


def test_there_are_several_kinds() -> None:
    events = [
        loud_event(np.ones(100, np.float32), 8000, np.random.default_rng(s)) for s in range(30)
    ]
    lengths = np.array([len(event) for event in events]) / 8000
    assert lengths.min() < 0.6
    assert lengths.max() > 2.0

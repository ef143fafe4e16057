"""The measure of a booted card's sound tells a conversion from anything else."""

from __future__ import annotations

import numpy as np
import pytest
from boards_card_sound import RATE, Audio, converted, likeness, samples, speech, wav

SAID = speech(2)


@pytest.fixture(scope="module")
def wanted() -> Audio:
    return converted(SAID)


def test_a_conversion_begun_at_another_time_is_told_as_one(wanted: Audio) -> None:
    later = np.concatenate([np.zeros(RATE // 2 + 37), SAID, np.zeros(RATE // 2)])
    told = likeness(samples(wav(converted(later))), SAID, wanted)
    assert told.sound > 0.9
    assert told.change > 0.7


@pytest.mark.parametrize("kind", ["passed through", "brighter", "noise", "nothing"])
def test_nothing_else_is_taken_for_a_conversion(wanted: Audio, kind: str) -> None:
    quiet = np.zeros(RATE // 2)
    said = np.concatenate([quiet, SAID, quiet])
    heard = {
        "passed through": said,
        "brighter": np.diff(said, prepend=0) * 3,
        "noise": np.random.default_rng(0).normal(0, 0.05, said.size),
        "nothing": np.zeros(said.size),
    }
    told = likeness(samples(wav(heard[kind])), SAID, wanted)
    assert told.sound < 0.95
    assert told.change < 0.5

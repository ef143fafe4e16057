"""The estimate is near the ratio that a signal was made with."""

from __future__ import annotations

import numpy as np
import pytest

from edge_vc.audio.snr import HIGHEST_DB, snr_db

RNG = np.random.default_rng(0)


def frames(ratio_db: float, share: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Return power and probabilities of 200 frames, ``share`` of them speech."""
    speech = np.arange(200) < 200 * share
    power = RNG.gamma(20, 1 / 20, 200) + np.where(speech, 10 ** (ratio_db / 10), 0.0)
    return power, np.where(speech, 0.95, 0.02).astype(np.float32)


@pytest.mark.parametrize("ratio_db", [5.0, 15.0, 30.0, 50.0])
def test_estimate_is_near_the_truth(ratio_db: float) -> None:
    assert snr_db(*frames(ratio_db)) == pytest.approx(ratio_db, abs=1.5)


def test_limits() -> None:
    power, probabilities = frames(20.0)
    power[probabilities < 0.5] = 0.0
    assert snr_db(power, probabilities) == HIGHEST_DB
    assert snr_db(np.ones(50), np.full(50, 0.9, np.float32)) == 0.0
    assert np.isnan(snr_db(np.ones(50), np.zeros(50, np.float32)))


def test_without_pauses_the_quietest_frames_are_noise() -> None:
    power, probabilities = frames(20.0, share=0.9)
    assert snr_db(power, np.full_like(probabilities, 0.9)) == pytest.approx(20.0, abs=3.0)


def test_noise_is_the_quieter_half_of_the_pauses() -> None:
    power = np.concatenate([np.full(50, 1.0), np.full(10, 1e-3), np.full(10, 1e-1)])
    probabilities = np.where(np.arange(70) < 50, 0.9, 0.02).astype(np.float32)
    assert snr_db(power, probabilities) == pytest.approx(30.0, abs=0.01)

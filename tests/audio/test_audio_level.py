"""Level is measured over active speech and moved without clipping."""

from __future__ import annotations

import numpy as np
import pytest

from edge_vc.audio.level import SILENCE_DB, active_level_db, normalize_level

RATE = 16000


def burst(amplitude: float, active: int, pause: int) -> np.ndarray:
    tone = amplitude * np.sin(np.arange(active) * 0.2)
    return np.concatenate([tone, np.zeros(pause)]).astype(np.float32)


def test_pauses_do_not_count() -> None:
    dense = active_level_db(burst(0.1, 16000, 0), RATE)
    sparse = active_level_db(burst(0.1, 16000, 48000), RATE)
    assert dense == pytest.approx(20 * np.log10(0.1 / np.sqrt(2)), abs=0.1)
    assert sparse == pytest.approx(dense, abs=0.1)


@pytest.mark.parametrize("amplitude", [0.001, 0.1, 0.9])
def test_target_is_met(amplitude: float) -> None:
    levelled = normalize_level(burst(amplitude, 16000, 8000), RATE, target_db=-20.0)
    assert active_level_db(levelled, RATE) == pytest.approx(-20.0, abs=0.1)
    assert levelled.dtype == np.float32


def test_peak_limits_the_gain() -> None:
    clicky = burst(0.01, 16000, 0)
    clicky[100] = 0.5
    levelled = normalize_level(clicky, RATE, target_db=-20.0, peak_db=-1.0)
    assert np.abs(levelled).max() == pytest.approx(10 ** (-1 / 20), rel=1e-4)


def test_silence_stays() -> None:
    silent = np.zeros(1000, np.float32)
    assert active_level_db(silent, RATE) == SILENCE_DB
    assert np.array_equal(normalize_level(silent, RATE), silent)


def test_frames_within_25_db_of_the_loud_ones_are_active() -> None:
    loud, soft = burst(0.1, 16000, 0), burst(0.1 * 10 ** (-20 / 20), 16000, 0)
    both = active_level_db(np.concatenate([loud, soft]), RATE)
    expected = 10 * np.log10((np.square(loud).mean() + np.square(soft).mean()) / 2)
    assert both == pytest.approx(expected, abs=0.1)
    softer = burst(0.1 * 10 ** (-30 / 20), 16000, 0)
    assert active_level_db(np.concatenate([loud, softer]), RATE) == pytest.approx(
        active_level_db(loud, RATE), abs=0.1
    )

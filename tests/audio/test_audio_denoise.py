"""Denoising lowers stationary noise by a bounded amount and leaves speech alone."""

from __future__ import annotations

import numpy as np
import pytest

from edge_vc.audio.denoise import METHODS, denoise
from edge_vc.audio.distance import snr_db
from edge_vc.audio.io import AudioError

RATE = 16000


def voiced(seconds: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Return a harmonic tone that pauses half of the time, and where it sounds."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 15))
    sounds = np.sin(2 * np.pi * 1.0 * time) > 0
    return (0.1 * tone * sounds).astype(np.float32), sounds


def noise(level: float, length: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, level, length).astype(np.float32)


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.square(samples).mean()))


@pytest.mark.parametrize("floor_db", [-6.0, -12.0, -15.0])
def test_pauses_get_quieter_down_to_the_floor(floor_db: float) -> None:
    speech, sounds = voiced()
    noisy = speech + noise(0.003, speech.size)
    clean = denoise(noisy, RATE, floor_db=floor_db)
    pause = np.flatnonzero(~sounds)[2000:6000]
    lowered = level_db(clean[pause]) - level_db(noisy[pause])
    assert floor_db - 0.5 < lowered < 0.6 * floor_db


@pytest.mark.parametrize("method", METHODS)
def test_noise_falls_and_speech_stays(method: str) -> None:
    speech, sounds = voiced()
    noisy = speech + noise(0.005, speech.size)
    clean = denoise(noisy, RATE, method=method)
    assert snr_db(speech, clean) > snr_db(speech, noisy) + 2.0
    assert level_db(clean[sounds]) == pytest.approx(level_db(speech[sounds]), abs=0.5)


@pytest.mark.parametrize("method", METHODS)
def test_clean_speech_is_left_alone(method: str) -> None:
    speech, _ = voiced()
    assert snr_db(speech, denoise(speech, RATE, method=method)) > 25.0


def test_wiener_takes_more_away_than_subtraction() -> None:
    white = noise(0.01, RATE)
    left = [level_db(denoise(white, RATE, method=name)) for name in ("wiener", "subtraction")]
    assert left[0] < left[1] - 1.0


def test_unknown_method_is_named() -> None:
    with pytest.raises(AudioError, match="'magic' is not one of wiener, subtraction"):
        denoise(noise(0.1, 100), RATE, method="magic")


@pytest.mark.parametrize("length", [1, 100, 511, 512, 5000, 16001])
def test_length_stays(length: int) -> None:
    clean = denoise(noise(0.1, length), RATE)
    assert clean.shape == (length,)
    assert clean.dtype == np.float32
    assert np.isfinite(clean).all()


def test_silence_stays_silent() -> None:
    assert np.array_equal(denoise(np.zeros(8000, np.float32), RATE), np.zeros(8000))


def test_more_oversubtraction_takes_more_away() -> None:
    noisy = voiced()[0] + noise(0.003, voiced()[0].size)
    levels = [
        level_db(noisy - denoise(noisy, RATE, floor_db=-40.0, oversubtract=share))
        for share in (0.0, 0.5, 1.0, 1.5)
    ]
    assert levels[0] < -100
    assert np.all(np.diff(levels) > 0.5)

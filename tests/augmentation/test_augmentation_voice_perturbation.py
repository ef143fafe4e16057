from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vc.augmentation.voice_perturbation import analyse, perturb_voice

RATE = 16000


@pytest.fixture(scope="module")
def speech() -> NDArray[np.float64]:
    import pysptk
    import soundfile

    audio, rate = soundfile.read(pysptk.util.example_audio_file())
    assert rate == RATE
    return np.asarray(audio[: 2 * RATE], np.float64)


def test_formants_move_with_the_warp(speech: NDArray[np.float64]) -> None:
    analysis = analyse(speech, RATE)
    centroids = {}
    for warp in (0.8, 1.25):
        spectrum = np.abs(np.fft.rfft(perturb_voice(analysis, warp=warp))) ** 2
        centroids[warp] = (spectrum * np.arange(len(spectrum))).sum() / spectrum.sum()
    assert centroids[1.25] > 1.2 * centroids[0.8]


def test_a_recording_without_voice_survives() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, RATE // 2)
    analysis = analyse(noise, RATE)
    assert np.isfinite(perturb_voice(analysis, semitones=3.0, warp=1.1)).all()
    assert len(analysis.f0) == RATE // 2 // 80 + 1


@pytest.mark.parametrize("hum_hz", [60.0, 70.0])
def test_hum_below_the_voice_is_not_followed(speech: NDArray[np.float64], hum_hz: float) -> None:
    high = perturb_voice(analyse(speech, RATE), semitones=8.0)
    time = np.arange(len(high)) / RATE
    hum = 0.3 * np.abs(high).max() * np.sin(2 * np.pi * hum_hz * time)
    clean, humming = analyse(high, RATE).f0, analyse(high + hum, RATE).f0
    assert (humming > 0).mean() == pytest.approx((clean > 0).mean(), abs=0.05)
    assert np.median(humming[humming > 0]) == pytest.approx(np.median(clean[clean > 0]), rel=0.03)


def test_a_voice_moves_by_what_is_asked(speech: NDArray[np.float64]) -> None:
    analysis = analyse(speech, RATE)
    higher = analyse(perturb_voice(analysis, semitones=4.0, warp=1.1), RATE).f0
    moved = np.median(higher[higher > 0]) / np.median(analysis.f0[analysis.f0 > 0])
    assert moved == pytest.approx(2 ** (4 / 12), rel=0.03)

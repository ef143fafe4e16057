from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vc.augmentation.voice_perturbation import PerturbSettings, analyse, perturb, perturb_voice

RATE = 16000


@pytest.fixture(scope="module")
def speech() -> NDArray[np.float64]:
    import pysptk
    import soundfile

    audio, rate = soundfile.read(pysptk.util.example_audio_file())
    assert rate == RATE
    return np.asarray(audio[: 2 * RATE], np.float64)


def test_pitch_moves_into_the_asked_range(speech: NDArray[np.float64]) -> None:
    analysis = analyse(speech, RATE)
    settings = PerturbSettings(f0_hz=(220.0, 230.0), f0_range=(1.0, 1.0))
    audio, f0 = perturb(analysis, np.random.default_rng(0), settings)
    assert abs(len(audio) - len(speech)) <= RATE // 100
    assert 215 < np.median(f0[f0 > 0]) < 235
    again = analyse(audio, RATE).f0
    assert 210 < np.median(again[again > 0]) < 240


def test_formants_move_with_the_warp(speech: NDArray[np.float64]) -> None:
    analysis = analyse(speech, RATE)
    centroids = {}
    for warp in (0.8, 1.25):
        settings = PerturbSettings(
            f0_hz=(120.0, 120.1), warp=(warp, warp), equaliser_db=0.0, breath_db=0.0
        )
        audio, _ = perturb(analysis, np.random.default_rng(0), settings)
        spectrum = np.abs(np.fft.rfft(audio)) ** 2
        centroids[warp] = (spectrum * np.arange(len(spectrum))).sum() / spectrum.sum()
    assert centroids[1.25] > 1.2 * centroids[0.8]


def test_same_seed_same_voice(speech: NDArray[np.float64]) -> None:
    analysis = analyse(speech, RATE)
    voices = [
        perturb(analysis, np.random.default_rng(seed), PerturbSettings())[0] for seed in (1, 1, 2)
    ]
    assert np.array_equal(voices[0], voices[1])
    assert not np.array_equal(voices[0], voices[2])


def test_a_recording_without_voice_survives() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, RATE // 2)
    audio, f0 = perturb(analyse(noise, RATE), np.random.default_rng(0), PerturbSettings())
    assert np.isfinite(audio).all()
    assert len(f0) == RATE // 2 // 80 + 1


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


def changed(speech: NDArray[np.float64], **changes: object) -> NDArray[np.float64]:
    """A copy with the same draws, nothing random in it but what ``changes`` says."""
    plain = PerturbSettings((240.0, 240.1), (1.0, 1.0), (0.1, 10.0), 0.0, 0.0, 0.0, 0.0)
    settings = replace(plain, **changes)  # type: ignore[arg-type]
    return perturb(analyse(speech, RATE), np.random.default_rng(1), settings)[0]


def test_formants_follow_the_pitch(speech: NDArray[np.float64]) -> None:
    f0 = analyse(speech, RATE).f0
    warp = float(np.exp(0.3 * np.log(240.05 / np.median(f0[f0 > 0]))))
    assert warp > 1.1
    fixed = changed(speech, warp=(warp, warp))
    np.testing.assert_allclose(changed(speech, warp_slope=0.3), fixed, atol=2e-3)
    assert np.abs(changed(speech) - fixed).max() > 0.05


def test_the_equaliser_has_the_asked_deviation(speech: NDArray[np.float64]) -> None:
    power = [
        np.abs(np.fft.rfft(changed(speech, equaliser_db=deviation))) ** 2
        for deviation in (0.0, 6.0)
    ]
    edges = np.linspace(200, 14000, 24).astype(int)
    bands = [np.add.reduceat(p, edges)[:-1] for p in power]
    gains = 10 * np.log10(bands[1] / bands[0])
    assert 2.0 < np.sqrt(np.square(gains).mean()) < 15.0


def test_breath_changes_the_aperiodic_share(speech: NDArray[np.float64]) -> None:
    quiet, breathy = changed(speech), changed(speech, breath_db=20.0)
    assert np.abs(quiet - breathy).max() > 0.01

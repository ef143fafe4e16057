"""Spectra invert, energies are levels, cepstra ignore gain, slopes are slopes."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from edge_vc.audio.features import (
    FLOOR_DB,
    energy_db,
    istft,
    log_mel,
    mfcc,
    spectral_peaks,
    stft,
    with_deltas,
)
from edge_vc.audio.io import AudioError
from edge_vc.audio.pitch import track_pitch

RATE, WINDOW, HOP = 16000, 512, 160


def noise(length: int = RATE) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, length).astype(np.float32)


@pytest.mark.parametrize("length", [1, 159, 160, 511, 700, 16000, 16159])
def test_frames_lie_as_those_of_pitch(length: int) -> None:
    frames = length // HOP + 1
    assert stft(noise(length), WINDOW, HOP).shape == (WINDOW // 2 + 1, frames)
    assert energy_db(noise(length), WINDOW, HOP).shape == (frames,)
    assert mfcc(noise(length), RATE).shape == (13, frames)
    assert log_mel(noise(length), RATE).shape == (80, frames)
    assert [x.shape for x in spectral_peaks(noise(length), RATE)] == [(5, frames)] * 2
    assert track_pitch(noise(length), RATE, HOP).f0.shape == (frames,)


def test_frame_is_centred_on_its_sample() -> None:
    click = np.zeros(RATE, np.float32)
    click[50 * HOP] = 1.0
    assert energy_db(click, 3 * HOP, HOP).argmax() in (49, 50, 51)
    magnitude = np.abs(stft(click, WINDOW, HOP)).sum(axis=0)
    assert magnitude.argmax() == 50


@pytest.mark.parametrize("length", [700, 16000])
def test_inverse_is_the_identity(length: int) -> None:
    back = istft(stft(noise(length), WINDOW, HOP), HOP, length)
    assert back.shape == (length,)
    assert np.abs(back - noise(length)).max() < 1e-5


def test_energy_is_the_level() -> None:
    tone = (0.1 * np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE)).astype(np.float32)
    level = energy_db(tone, WINDOW, HOP)[5:-5]
    assert np.allclose(level, 20 * np.log10(0.1 / np.sqrt(2)), atol=0.1)
    assert np.all(energy_db(np.zeros(RATE, np.float32), WINDOW, HOP) == FLOOR_DB)


@pytest.mark.parametrize("hertz", [300.0, 1000.0, 4000.0])
def test_log_mel_peaks_in_the_band_of_a_tone(hertz: float) -> None:
    tone = (0.1 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)).astype(np.float32)
    bands = log_mel(tone, RATE, WINDOW, HOP, bands=40)
    centres = librosa.mel_frequencies(42, fmin=0, fmax=RATE / 2)[1:-1]
    found = centres[bands[:, 50].argmax()]
    assert abs(found - hertz) == np.abs(centres - hertz).min()
    louder = log_mel(tone * np.float32(10 ** (6 / 20)), RATE, WINDOW, HOP, bands=40)
    loud = bands[:, 50] > FLOOR_DB + 20
    assert np.allclose((louder - bands)[loud, 50], 6.0, atol=0.01)


def test_peaks_are_the_sines_strongest_first() -> None:
    time = np.arange(RATE) / RATE
    sines = ((0.05, 700.0), (0.5, 2010.0), (0.2, 3300.0))
    tone = sum(gain * np.sin(2 * np.pi * hertz * time) for gain, hertz in sines)
    hertz, level = spectral_peaks(tone.astype(np.float32), RATE, count=4)
    order = sorted(sines, reverse=True)
    inner = slice(5, -5)
    for row, (gain, wanted) in enumerate(order):
        assert np.allclose(hertz[row, inner], wanted, atol=3.0)
        assert np.allclose(level[row, inner], 20 * np.log10(gain), atol=1.0)
    assert np.all(level[3, inner] < -40)
    silent = spectral_peaks(np.zeros(RATE, np.float32), RATE)
    assert not silent[0].any()
    assert np.all(silent[1] == FLOOR_DB)


def test_gain_moves_only_the_first_coefficient() -> None:
    quiet, loud = mfcc(noise(), RATE), mfcc(noise() * np.float32(2.0), RATE)
    assert np.allclose(loud[1:], quiet[1:], atol=1e-2)
    assert np.allclose(loud[0] - quiet[0], 20 * np.log10(2) * np.sqrt(40), atol=0.05)


def test_slopes_of_a_ramp() -> None:
    ramp = np.stack([np.arange(50.0), 3 - 2 * np.arange(50.0)]).astype(np.float32)
    all_three = with_deltas(ramp)
    assert all_three.shape == (6, 50)
    assert np.array_equal(all_three[:2], ramp)
    assert np.allclose(all_three[2, 4:-4], 1.0)
    assert np.allclose(all_three[3, 4:-4], -2.0)
    assert np.allclose(all_three[4:, 8:-8], 0.0, atol=1e-6)


def test_few_frames_have_slopes() -> None:
    assert np.array_equal(with_deltas(np.ones((2, 1), np.float32))[2:], np.zeros((4, 1)))


@pytest.mark.parametrize(
    ("call", "fact"),
    [
        (lambda: stft(np.zeros(0, np.float32), WINDOW, HOP), r"shape \[0\]"),
        (lambda: energy_db(np.zeros((2, 9), np.float32), WINDOW, HOP), r"shape \[2, 9\]"),
        (lambda: stft(noise(), 100, 160), "hop 160 of a window of 100"),
        (lambda: spectral_peaks(noise(), RATE, count=129), "129 peaks of a window of 512"),
        (lambda: mfcc(noise(), RATE, coefficients=41), "41 coefficients of 40 bands"),
    ],
)
def test_impossible_settings_are_refused(call: object, fact: str) -> None:
    with pytest.raises(AudioError, match=fact):
        call()  # type: ignore[operator]

"""Each distortion does what it says, by as much as it says."""

from __future__ import annotations

import numpy as np
import pytest

from edge_vc.audio.io import AudioError
from edge_vc.augmentation.effects import (
    EQUALISER_HZ,
    add_noise,
    add_room,
    change_gain,
    crop,
    equalise,
)
from edge_vc.augmentation.time_stretch import stretch

RATE = 16000
RNG = np.random.default_rng(0)


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.2 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.square(samples, dtype=np.float64).mean()))


def test_gain() -> None:
    assert level_db(change_gain(tone(200), -6.0)) == pytest.approx(level_db(tone(200)) - 6.0)


@pytest.mark.parametrize("band", range(len(EQUALISER_HZ)))
def test_equaliser_raises_its_band(band: int) -> None:
    gains = np.zeros(len(EQUALISER_HZ))
    gains[band] = 9.0
    raised = equalise(tone(EQUALISER_HZ[band]), RATE, gains)
    assert level_db(raised) == pytest.approx(level_db(tone(200)) + 9.0, abs=0.3)
    far = EQUALISER_HZ[(band + 3) % len(EQUALISER_HZ)]
    assert level_db(equalise(tone(far), RATE, gains)) == pytest.approx(level_db(tone(200)), abs=0.3)


@pytest.mark.parametrize("ratio_db", [-5.0, 0.0, 20.0])
def test_noise_has_the_asked_ratio(ratio_db: float) -> None:
    noise = RNG.normal(0, 1, 700).astype(np.float32)
    added = add_noise(tone(200), noise, ratio_db) - tone(200)
    assert level_db(tone(200)) - level_db(added) == pytest.approx(ratio_db, abs=0.01)


def test_silence_gets_no_noise_and_silent_noise_adds_nothing() -> None:
    silence = np.zeros(100, np.float32)
    assert np.array_equal(add_noise(silence, tone(200), 10.0), silence)
    assert np.array_equal(add_noise(tone(200), silence, 10.0), tone(200))
    with pytest.raises(AudioError, match="no samples"):
        add_noise(tone(200), silence[:0], 10.0)


def test_a_room_keeps_time_and_power() -> None:
    click = np.zeros(RATE, np.float32)
    click[4000] = 0.5
    response = np.zeros(3000, np.float32)
    response[[500, 1500]] = 1.0, 0.5
    heard = add_room(click, response)
    assert heard.shape == click.shape
    assert np.abs(heard).argmax() == 4000
    assert heard[5000] == pytest.approx(heard[4000] / 2, rel=1e-4)
    assert level_db(heard) == pytest.approx(level_db(click), abs=0.01)
    with pytest.raises(AudioError, match="empty or silent"):
        add_room(click, np.zeros(10, np.float32))


@pytest.mark.parametrize(("place", "first"), [(0.0, 0), (0.5, 45), (1.0, 90)])
def test_crop(place: float, first: int) -> None:
    samples = np.arange(100, dtype=np.float32)
    assert np.array_equal(crop(samples, 10, place), samples[first : first + 10])
    assert np.array_equal(crop(samples, 1000, place), samples)


@pytest.mark.parametrize("factor", [0.6, 0.9, 1.0, 1.3, 1.8])
def test_stretching_changes_time_and_not_pitch(factor: float) -> None:
    stretched = stretch(tone(200), RATE, factor)
    assert stretched.shape == (round(RATE * factor),)
    assert level_db(stretched) == pytest.approx(level_db(tone(200)), abs=0.5)
    spectrum = np.abs(np.fft.rfft(stretched * np.hanning(stretched.size)))
    assert spectrum.argmax() / factor == pytest.approx(200, abs=2)


def test_stretched_words_come_in_proportion(arctic: np.ndarray) -> None:
    slow = stretch(arctic, RATE, 1.5)
    envelopes = [
        np.sqrt(np.square(a[: a.size // n * n].reshape(-1, n)).mean(1))
        for a, n in ((arctic, 320), (slow, 480))
    ]
    frames = min(map(len, envelopes))
    assert np.corrcoef(envelopes[0][:frames], envelopes[1][:frames])[0, 1] > 0.95


@pytest.mark.parametrize("length", [0, 1, 639, 640, 641])
def test_scraps_are_stretched(length: int) -> None:
    assert stretch(tone(200)[:length], RATE, 1.5).shape == (round(length * 1.5),)


def test_absurd_requests_are_named() -> None:
    with pytest.raises(AudioError, match="cannot stretch by 9"):
        stretch(tone(200), RATE, 9)
    with pytest.raises(AudioError, match="cannot crop 0"):
        crop(tone(200), 0, 0.5)
    with pytest.raises(AudioError, match="2 gains"):
        equalise(tone(200), RATE, np.zeros(2))

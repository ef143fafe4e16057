"""Copies are other, reproducible, bounded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_vc.audio.io import AudioError
from edge_vc.augmentation.augment import AugmentSettings, Surroundings, augment, rng_of

RATE = 16000
NOTHING = AugmentSettings(
    voice_share=0, stretch_share=0, equaliser_share=0, room_share=0, noise_share=0, gain_db=(0, 0)
)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    import pysptk

    samples, _ = soundfile.read(pysptk.util.example_audio_file(), dtype="float32")
    return np.asarray(samples[RATE : 2 * RATE], np.float32)


@pytest.fixture
def surroundings(tmp_path: Path) -> Surroundings:
    rng = np.random.default_rng(0)
    for kind in ("noise", "rooms"):
        (tmp_path / kind).mkdir()
        for number in range(3):
            samples = rng.normal(0, 0.1, 8000) * np.exp(-np.arange(8000) / 500)
            soundfile.write(tmp_path / kind / f"{number}.wav", samples, RATE)
    return Surroundings.open(tmp_path / "noise", tmp_path / "rooms")


def test_the_same_file_gives_the_same_copy(speech: np.ndarray, surroundings: Surroundings) -> None:
    def copy(seed: int, name: str, number: int) -> np.ndarray:
        return augment(speech, RATE, rng_of(seed, name, number), None, surroundings)

    first = copy(1, "a", 1)
    assert np.array_equal(first, copy(1, "a", 1))
    for other in (copy(2, "a", 1), copy(1, "b", 1), copy(1, "a", 2)):
        assert first.shape != other.shape or not np.array_equal(first, other)


def test_shares_of_zero_leave_everything(speech: np.ndarray) -> None:
    assert np.array_equal(augment(speech, RATE, rng_of(0, "a"), NOTHING), speech)


@pytest.mark.parametrize("step", ["voice", "stretch", "equaliser", "room", "noise"])
def test_each_step_changes_something(
    speech: np.ndarray, surroundings: Surroundings, step: str
) -> None:
    settings = AugmentSettings(**{**vars(NOTHING), f"{step}_share": 1.0})
    copy = augment(speech, RATE, rng_of(0, "a"), settings, surroundings)
    assert np.isfinite(copy).all()
    assert (copy.shape != speech.shape) == (step == "stretch")
    if step != "stretch":
        assert np.abs(copy - speech).max() > 0.01


def test_noise_without_recordings_is_white_noise_at_the_drawn_ratio(speech: np.ndarray) -> None:
    settings = AugmentSettings(**{**vars(NOTHING), "noise_share": 1.0, "snr_db": (10.0, 10.0)})
    added = augment(speech, RATE, rng_of(0, "a"), settings) - speech
    ratio = 10 * np.log10(np.square(speech).mean() / np.square(added).mean())
    assert ratio == pytest.approx(10.0, abs=0.01)


def test_crops_have_the_length_and_peaks_stay_below_full_scale(speech: np.ndarray) -> None:
    settings = AugmentSettings(**{**vars(NOTHING), "crop_seconds": 0.25, "gain_db": (60, 60)})
    copy = augment(speech, RATE, rng_of(0, "a"), settings)
    assert copy.shape == (4000,)
    assert np.abs(copy).max() == pytest.approx(0.99, abs=1e-4)


def test_bad_settings_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="noise_share is 2"):
        AugmentSettings(noise_share=2)
    with pytest.raises(AudioError, match="snr_db is .* lower limit first"):
        AugmentSettings(snr_db=(30.0, 5.0))
    with pytest.raises(AudioError, match="holds no recordings"):
        Surroundings.open(tmp_path, None)
    (tmp_path / "bad.wav").write_text("no")
    with pytest.raises(AudioError, match=r"bad\.wav"):
        Surroundings.open(None, tmp_path)


def test_gains_are_drawn_from_their_range(speech: np.ndarray) -> None:
    settings = AugmentSettings(**{**vars(NOTHING), "gain_db": AugmentSettings().gain_db})
    quiet = 0.1 * speech
    gains = [
        20 * np.log10(np.abs(augment(quiet, RATE, rng_of(seed, "a"), settings)).max())
        for seed in range(60)
    ] - 20 * np.log10(np.abs(quiet).max())
    assert -9.01 < min(gains) < -8
    assert 2 < max(gains) < 3.01


@pytest.mark.parametrize("gain_db", [0.0, 6.0, 60.0])
def test_peaks_stay_below_full_scale(speech: np.ndarray, gain_db: float) -> None:
    loud = (0.9 * speech / np.abs(speech).max()).astype(np.float32)
    settings = AugmentSettings(**{**vars(NOTHING), "gain_db": (gain_db, gain_db)})
    peak = np.abs(augment(loud, RATE, rng_of(0, "a"), settings)).max()
    assert peak == pytest.approx(0.99 if gain_db else 0.9, abs=1e-4)


def test_formants_of_another_voice_move(speech: np.ndarray) -> None:
    centroids = []
    for warp in (0.8, 1.25):
        changes = {"voice_share": 1.0, "semitones": (0.0, 0.0), "warp": (warp, warp)}
        settings = AugmentSettings(**{**vars(NOTHING), **changes})
        power = np.abs(np.fft.rfft(augment(speech, RATE, rng_of(0, "a"), settings))) ** 2
        centroids.append((power * np.arange(power.size)).sum() / power.sum())
    assert centroids[1] > 1.2 * centroids[0]

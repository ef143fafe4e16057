"""Files come in as mono float32 at the asked rate, or are refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_vc.audio.io import AudioError, read_audio, resample, seconds_of, write_audio

RATE = 16000


def sine(seconds: float, rate: int, frequency: float = 440.0) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_round_trip(tmp_path: Path, suffix: str) -> None:
    audio = sine(0.3, RATE)
    path = write_audio(tmp_path / f"a{suffix}", audio, RATE)
    assert np.abs(read_audio(path, RATE) - audio).max() < 1 / 32000
    assert seconds_of(path) == pytest.approx(0.3)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 96000])
def test_other_rates_are_resampled(tmp_path: Path, rate: int) -> None:
    path = write_audio(tmp_path / "a.wav", sine(0.5, rate), rate)
    audio = read_audio(path, RATE)
    expected = sine(0.5, RATE)
    assert audio.shape == expected.shape
    middle = slice(800, -800)
    assert np.abs(audio[middle] - expected[middle]).max() < 0.01


def test_channels_are_averaged(tmp_path: Path) -> None:
    channels = np.stack([np.full(100, level) for level in (0.6, 0.3, 0.0, 0.0, 0.0, 0.0)], axis=1)
    soundfile.write(tmp_path / "six.wav", channels, RATE, subtype="FLOAT")
    assert np.allclose(read_audio(tmp_path / "six.wav", RATE), 0.15, atol=1e-6)


def test_eight_bit_is_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "eight.wav", sine(0.1, RATE), RATE, subtype="PCM_U8")
    assert np.abs(read_audio(tmp_path / "eight.wav", RATE) - sine(0.1, RATE)).max() < 0.01


def test_unusable_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), RATE)
    broken = np.zeros(50, np.float32)
    broken[7] = np.nan
    soundfile.write(tmp_path / "nan.wav", broken, RATE, subtype="FLOAT")
    for name, fact in [
        ("text.wav", "not readable as audio"),
        ("empty.wav", "no samples"),
        ("nan.wav", "sample 7 is NaN"),
        ("missing.wav", "no such file"),
    ]:
        with pytest.raises(AudioError, match=fact) as caught:
            read_audio(tmp_path / name, RATE)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "audio", "fact"),
    [
        ("a.wav", np.zeros((2, 5), np.float32), r"shape \[2, 5\]"),
        ("a.wav", np.zeros(0, np.float32), "no samples"),
        ("a.wav", np.array([0.0, np.inf], np.float32), "NaN or infinite"),
        ("a.xyz", np.zeros(5, np.float32), "XYZ cannot hold"),
    ],
)
def test_bad_writes_leave_nothing(tmp_path: Path, name: str, audio: np.ndarray, fact: str) -> None:
    with pytest.raises(AudioError, match=fact):
        write_audio(tmp_path / name, audio, RATE)
    assert list(tmp_path.iterdir()) == []


def test_loud_audio_is_clipped(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.wav", np.array([2.0, -2.0, 0.0], np.float32), RATE)
    assert np.allclose(read_audio(path, RATE), [1.0, -1.0, 0.0], atol=1e-4)


@pytest.mark.parametrize("length", [1, 7, 159, 44100])
def test_resampled_length_is_the_ceiling(length: int) -> None:
    assert resample(np.zeros(length, np.float32), 44100, RATE).shape == (
        int(np.ceil(length * 160 / 441)),
    )


def test_resampling_leaves_no_alias() -> None:
    lost = resample(sine(1.0, 48_000, 9_000.0), 48_000, 16_000)[1000:-1000]
    assert np.abs(lost).max() < 1e-3
    kept = resample(sine(1.0, 48_000, 6_000.0), 48_000, 16_000)[1000:-1000]
    assert np.abs(kept).max() == pytest.approx(np.abs(sine(1.0, 48_000, 6_000.0)).max(), rel=1e-2)

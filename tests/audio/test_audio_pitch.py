"""F0 follows a known contour, frame by frame, and its logarithm has no gaps."""

from __future__ import annotations

import numpy as np
import pytest

from edge_vc.audio.io import AudioError
from edge_vc.audio.pitch import interpolate_log_f0, track_pitch, typical_pitch

RATE, HOP = 16000, 160


def voice(base: float, seconds: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Return a gliding harmonic tone with a gap in the middle, and its F0 per sample."""
    time = np.arange(round(seconds * RATE)) / RATE
    f0 = base * np.exp(0.2 * np.sin(2 * np.pi * 0.7 * time))
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    tone = sum(np.sin(k * phase) / k * (k * f0 < 7000) for k in range(1, 30))
    tone *= np.abs(time - seconds / 2) > 0.2
    noise = np.random.default_rng(0).normal(0, 0.003, time.shape)
    return (0.2 * tone + noise).astype(np.float32), f0


@pytest.mark.parametrize("base", [80.0, 155.0, 280.0])
def test_contour_is_followed(base: float) -> None:
    samples, f0 = voice(base)
    pitch = track_pitch(samples, RATE, HOP)
    frames = np.arange(0, samples.shape[0], HOP)
    gap = np.abs(frames / RATE - 1.0) < 0.15
    voiced = pitch.voiced[: frames.size]
    assert voiced[~gap].mean() > 0.9
    assert voiced[gap].mean() < 0.15
    found = voiced & ~gap
    error = np.abs(np.log(pitch.f0[: frames.size][found] / f0[frames][found]))
    assert np.median(error) < 0.002
    assert np.percentile(error, 95) < 0.02
    assert pitch.median == pytest.approx(np.median(f0), rel=0.05)


def test_mains_hum_is_not_a_voice() -> None:
    samples, f0 = voice(210.0)
    hum = 0.1 * np.sin(2 * np.pi * 60.0 * np.arange(samples.size) / RATE).astype(np.float32)
    pitch = track_pitch(samples + hum, RATE, HOP)
    assert pitch.median == pytest.approx(np.median(f0), rel=0.05)
    assert typical_pitch(samples + hum, RATE) == pytest.approx(np.median(f0), rel=0.1)


@pytest.mark.parametrize("length", [4000, 16000, 16001, 16159, 16160])
def test_frame_count_and_hop(length: int) -> None:
    pitch = track_pitch(voice(120.0)[0][:length], RATE, HOP)
    assert pitch.f0.shape == pitch.log_f0.shape == pitch.voiced.shape == (length // HOP + 1,)
    assert pitch.hop == HOP


@pytest.mark.parametrize("samples", [np.zeros(8000, np.float32), np.full(100, 0.1, np.float32)])
def test_silence_and_scraps_are_unvoiced(samples: np.ndarray) -> None:
    pitch = track_pitch(samples, RATE, HOP, lowest=60.0)
    assert not pitch.voiced.any()
    assert pitch.median == 0.0
    assert np.allclose(pitch.log_f0, np.log(60.0))


def test_gaps_are_bridged() -> None:
    log_f0 = interpolate_log_f0(np.array([0.0, 100.0, 0.0, 400.0, 0.0]))
    assert np.allclose(np.exp(log_f0), [100, 100, 200, 400, 400], rtol=1e-5)


def test_not_finite_is_refused() -> None:
    with pytest.raises(AudioError, match="NaN"):
        track_pitch(np.array([0.0, np.nan], np.float32), RATE, HOP)


def test_the_period_is_preferred_to_its_double() -> None:
    time = np.arange(2 * RATE) / RATE
    # Every pulse is alike, so twice the period correlates as well.
    tone = sum(np.cos(2 * np.pi * 200 * k * time) for k in range(1, 8))
    assert typical_pitch((0.05 * tone).astype(np.float32), RATE) == pytest.approx(200, rel=0.02)

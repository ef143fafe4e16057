"""The live resampler: exact under its input, at once, whatever the blocks are."""

from __future__ import annotations

import numpy as np
import pytest

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.polyphase import PolyphaseResampler

RATES = [(48000, 16000), (16000, 48000), (44100, 16000), (16000, 44100), (11025, 16000)]


def tone(hz: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate).astype(np.float32)


def in_blocks(resampler: PolyphaseResampler, audio: np.ndarray, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    cuts = np.cumsum(rng.integers(0, 900, 200))
    pieces = np.split(audio, cuts[cuts < audio.size])
    return np.concatenate([resampler.push(piece) for piece in pieces])


@pytest.mark.parametrize(("a", "b"), RATES)
@pytest.mark.parametrize("hz", [100.0, 1000.0, 4000.0])
def test_a_tone_stays_under_its_input(a: int, b: int, hz: float) -> None:
    got = in_blocks(PolyphaseResampler(a, b), tone(hz, a))
    wanted = tone(hz, b)[: got.size]
    assert np.abs(got - wanted)[200:].max() < 2e-4


@pytest.mark.parametrize(("a", "b"), RATES)
def test_blocks_change_nothing_and_the_delay_is_kept(a: int, b: int) -> None:
    resampler = PolyphaseResampler(a, b)
    audio = np.random.default_rng(1).normal(0, 0.1, a // 2).astype(np.float32)
    whole = resampler.push(audio)
    resampler.reset()
    assert np.array_equal(in_blocks(resampler, audio), whole)
    missing_ms = (audio.size / a - whole.size / b) * 1000
    assert missing_ms <= resampler.delay_ms + 1000 / b
    assert resampler.delay_ms < 2.5


def test_what_lies_above_the_lower_rate_is_gone() -> None:
    assert np.abs(PolyphaseResampler(48000, 16000).push(tone(9000.0, 48000))[200:]).max() < 1e-3


def test_it_runs_for_hours_without_a_seam() -> None:
    """The time axis is moved back every period: numbers stay small, nothing jumps."""
    resampler = PolyphaseResampler(44100, 16000)
    audio = tone(1000.0, 44100, 20.0)
    got = np.concatenate([resampler.push(piece) for piece in np.split(audio, 2000)])
    assert np.abs(got - tone(1000.0, 16000, 20.0)[: got.size])[200:].max() < 2e-4
    assert resampler._given < 160
    assert resampler._buffer.size < 1000


def test_equal_rates_pass_and_odd_ones_are_refused() -> None:
    audio = tone(500.0, 16000)
    assert PolyphaseResampler(16000, 16000).push(audio) is audio
    assert PolyphaseResampler(16000, 16000).delay_ms == 0
    with pytest.raises(AudioIOError, match="48000 Hz"):
        PolyphaseResampler(44101, 16000)

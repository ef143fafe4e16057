"""The live resampler: what it keeps, what it takes away, and how long it holds samples back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_vc_runtime.audio.sinc_resampler import MOST_PPM, SincResampler

RATES = [(16000, 48000), (48000, 16000), (48000, 48000), (44100, 16000), (16000, 44100)]


def tone(hz: float, rate: float, seconds: float = 1.0, late: float = 0.0) -> np.ndarray:
    times = np.arange(round(seconds * rate)) / rate - late
    return (0.5 * np.sin(2 * np.pi * hz * times)).astype(np.float32)


def resampled(resampler: SincResampler, audio: np.ndarray, block: int) -> np.ndarray:
    blocks = (audio[at : at + block] for at in range(0, audio.size, block))
    return np.concatenate([resampler.push(each).copy() for each in blocks])


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
@pytest.mark.parametrize("ppm", [0, 200, -500])
def test_a_tone_comes_out_as_the_same_tone(from_rate: int, to_rate: int, ppm: int) -> None:
    resampler = SincResampler(from_rate, to_rate)
    resampler.set_ppm(ppm)
    made = resampled(resampler, tone(1000, from_rate), from_rate // 100)
    # The first window's centre lies half a filter before the first sample.
    late = resampler.delay_ms / 1000
    wanted = tone(1000, to_rate * (1 + ppm * 1e-6), 2.0, late)
    rest = made[2000:] - wanted[2000 : made.size]
    assert 10 * np.log10(np.square(made[2000:]).mean() / np.square(rest).mean()) > 60


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
def test_every_push_gives_what_it_completes(from_rate: int, to_rate: int) -> None:
    resampler = SincResampler(from_rate, to_rate)
    audio = np.random.default_rng(0).normal(0, 0.1, from_rate).astype(np.float32)
    given_out, taken = 0, 0
    for hop in audio.reshape(100, -1):
        taken += hop.size
        given_out += resampler.push(hop).size
        assert abs(given_out - taken * to_rate / from_rate) <= 1
    assert resampler.delay_ms <= 1.1


@given(blocks=st.lists(st.integers(0, 700), min_size=1, max_size=30), rates=st.sampled_from(RATES))
@settings(max_examples=25, deadline=None)
def test_blocks_of_any_size_give_the_same(blocks: list[int], rates: tuple[int, int]) -> None:
    audio = np.random.default_rng(1).normal(0, 0.1, sum(blocks)).astype(np.float32)
    whole = resampled(SincResampler(*rates), audio, 4000) if audio.size else audio
    parted = SincResampler(*rates)
    pieces, at = [], 0
    for block in blocks:
        pieces.append(parted.push(audio[at : at + block]).copy())
        at += block
    made = np.concatenate(pieces)
    assert abs(made.size - whole.size) <= 1
    size = min(made.size, whole.size)
    assert np.abs(made[:size] - whole[:size]).max(initial=0) < 2e-3


def test_what_the_lower_rate_cannot_hold_is_taken_away() -> None:
    made = resampled(SincResampler(48000, 16000), tone(9500, 48000), 480)
    assert 20 * np.log10(made[500:].std() / (0.5 / np.sqrt(2))) < -60
    up = resampled(SincResampler(16000, 48000), tone(6000, 16000), 160)[2400:-2400]
    spectrum = np.abs(np.fft.rfft(up * np.hanning(up.size)))
    hertz = np.fft.rfftfreq(up.size, 1 / 48000)
    assert 20 * np.log10(spectrum[hertz > 8500].max() / spectrum.max()) < -60


def test_the_ratio_moves_without_a_step() -> None:
    resampler = SincResampler(16000, 48000)
    audio = tone(300, 16000)
    pieces = []
    for index, hop in enumerate(audio.reshape(-1, 160)):
        resampler.set_ppm(500 if index % 2 else -500)
        pieces.append(resampler.push(hop).copy())
    made = np.concatenate(pieces)[2000:]
    assert np.abs(np.diff(made, 2)).max() < 1.2 * np.abs(np.diff(tone(300, 48000), 2)).max()


def test_the_ratio_is_bounded() -> None:
    resampler = SincResampler(48000, 48000)
    resampler.set_ppm(1e9)
    made = resampled(resampler, np.zeros(48000, np.float32), 480)
    assert made.size == pytest.approx(48000 * (1 + MOST_PPM * 1e-6), abs=2)


def test_reset_returns_to_silence() -> None:
    resampler = SincResampler(16000, 48000)
    first = resampled(resampler, tone(500, 16000), 160)
    resampler.reset()
    assert np.array_equal(resampled(resampler, tone(500, 16000), 160), first)


def test_what_it_cannot_take_is_refused() -> None:
    with pytest.raises(ValueError, match="0 and 48000 Hz"):
        SincResampler(0, 48000)
    with pytest.raises(ValueError, match="at most 160 samples, got 161"):
        SincResampler(16000, 48000, longest=160).push(np.zeros(161, np.float32))

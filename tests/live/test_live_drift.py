"""Drift correction: an hour of two clocks, and what it does to the sound."""

from __future__ import annotations

import numpy as np
import pytest

from edge_vc_runtime.audio.sinc_resampler import SincResampler
from edge_vc_runtime.live.drift import DriftController, DriftSettings

RATE, HOP, CALLBACK = 48000, 480, 120


def an_hour(
    ppm: float, seconds: float = 3600.0, correct: bool = True, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Fill of the output ring before each hop, and the correction, of two clocks ``ppm`` apart.

    Hops arrive by the input's clock, up to 3 ms late (inference); the output's callbacks of 120
    frames come up to 1 ms late. What the resampler makes of a hop is counted as it counts.
    """
    rng = np.random.default_rng(seed)
    hops = round(seconds * RATE / HOP)
    written = np.arange(1, hops + 1) * HOP / RATE + rng.uniform(0, 3e-3, hops)
    asked = (written - 0.025 + rng.uniform(0, 1e-3, hops)) * RATE * (1 + ppm * 1e-6)
    taken = np.maximum(np.floor(asked / CALLBACK) * CALLBACK, 0.0)
    controller = DriftController(RATE)
    fills, corrections = np.empty(hops), np.empty(hops)
    made, place, total, correction = 0, 0.0, 0.0, 0.0
    for index in range(hops):
        fills[index] = fill = made - taken[index]
        total += fill
        if index % 10 == 9:
            seen = controller.update(total / 10, index * HOP / RATE)
            correction = seen if correct else 0.0
            total = 0.0
        place += HOP * (1 + correction * 1e-6)
        made += int(place)
        place -= int(place)
        corrections[index] = correction
    return fills, corrections


def ten_seconds(fills: np.ndarray) -> np.ndarray:
    return fills[: fills.size // 1000 * 1000].reshape(-1, 1000).mean(axis=1)


@pytest.mark.parametrize("ppm", [200, 50, -200])
def test_after_an_hour_the_delay_is_what_it_was(ppm: int) -> None:
    fills, corrections = an_hour(ppm)
    means = ten_seconds(fills)
    assert np.abs(means - means[0]).max() < 0.25 * HOP  # all the time, not only at the end
    assert abs(means[-1] - means[0]) < 0.1 * HOP
    assert fills[1000:].min() > 0
    assert corrections[-60_000:].mean() == pytest.approx(ppm, abs=2)


def test_without_a_correction_the_ring_runs_empty() -> None:
    fills, _ = an_hour(200, seconds=300, correct=False)
    assert fills[-1] < -2 * HOP


def test_the_correction_is_too_slow_to_be_heard() -> None:
    _, corrections = an_hour(200)
    assert np.abs(corrections).max() <= 500
    second = corrections[::100]
    assert np.abs(np.diff(second)).max() < 60  # ppm within a second: 0.1 cents


@pytest.mark.parametrize("ppm", [2000, -2000])
def test_the_correction_is_bounded_and_the_integral_with_it(ppm: int) -> None:
    controller = DriftController(RATE)
    for index in range(6000):
        controller.update(500 - ppm * 0.0048 * max(index - 60, 0), index * 0.1)
    assert abs(controller.ppm) == 500
    for index in range(6000, 7000):  # the fill is back where it was: so is the correction, soon
        controller.update(500, index * 0.1)
    assert abs(controller.ppm) < 100


def test_delay_added_on_purpose_is_no_drift() -> None:
    controller = DriftController(RATE)
    for index in range(600):
        controller.update(500, index * 0.1)
    before = controller.ppm
    controller.shift(HOP)
    for index in range(600, 1200):
        controller.update(500 + HOP, index * 0.1)
    assert controller.target == 500 + HOP
    assert controller.ppm == pytest.approx(before, abs=0.01)


def test_what_an_underflow_added_is_taken_back() -> None:
    controller, fill = DriftController(RATE), 500.0
    for index in range(3000):
        if index == 300:
            fill += 96  # 2 ms of silence were played instead
        fill += controller.update(fill, index * 0.1) * RATE * 1e-6 * 0.1
    assert fill == pytest.approx(500, abs=5)


def test_a_stream_that_was_opened_again_keeps_the_clocks() -> None:
    controller = DriftController(RATE, DriftSettings(learning_s=1.0))
    fill = 500.0
    for index in range(3000):
        fill += (controller.update(fill, index * 0.1) - 80) * RATE * 1e-6 * 0.1
    assert controller.ppm == pytest.approx(80, abs=1)
    controller.restart()
    assert controller.target is None
    assert controller.update(2000, 400.0) == pytest.approx(80, abs=1)


def test_a_clock_that_jumps_is_no_drift() -> None:
    controller = DriftController(RATE)
    for index in range(100):
        controller.update(500, index * 0.1)
    for jumped in (1e9, 5.0):
        assert abs(controller.update(520, jumped)) < 40


def test_a_tone_stays_a_tone_while_the_correction_moves() -> None:
    """1 kHz through the real resampler, corrected by the simulation's own ppm."""
    _, corrections = an_hour(200, seconds=40)
    resampler = SincResampler(16000, RATE)
    times = np.arange(40 * 16000) / 16000
    tone = (0.5 * np.sin(2 * np.pi * 1000 * times)).astype(np.float32)
    pieces = []
    for hop, ppm in zip(tone.reshape(-1, 160), corrections, strict=False):
        resampler.set_ppm(ppm)
        pieces.append(resampler.push(hop).copy())
    audio = np.concatenate(pieces)[RATE:].astype(np.float64)
    # 12 samples at 48 kHz are a quarter of a period: sine and cosine.
    phase = np.unwrap(np.arctan2(audio[:-12], audio[12:]))
    hertz = np.diff(phase[:: RATE // 10]) / (2 * np.pi) * 10
    cents = 1200 * np.log2(hertz / 1000)
    assert np.abs(cents).max() < 0.6
    blocks = audio[: audio.size // 4800 * 4800].reshape(-1, 4800)
    assert min(map(snr_db, blocks)) > 60


def snr_db(block: np.ndarray) -> float:
    """Power of the tone, which may move a little within the block, over that of the rest."""
    times = np.arange(block.size) / RATE - block.size / RATE / 2
    turn = 2 * np.pi * 1000 * times
    moves = [wave * times**power for wave in (np.cos(turn), np.sin(turn)) for power in range(3)]
    basis = np.stack(moves, axis=1)
    rest = block - basis @ np.linalg.lstsq(basis, block, rcond=None)[0]
    return float(10 * np.log10(block @ block / (rest @ rest)))

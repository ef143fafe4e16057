from __future__ import annotations

import pytest
import torch
from nn_engines import ENGINES, run_torch
from torch import Tensor

from edge_vc.nn import HarmonicSource, NoiseSource
from edge_vc.nn.harmonic import GRID
from edge_vc.nn.noise import STEPS

HOP, RATE = 160, 16000


def contour(frames: int, seed: int = 0) -> Tensor:
    """A wandering F0 ``[1, 1, 1, frames]`` in Hz."""
    steps = torch.randn(frames, generator=torch.Generator().manual_seed(seed))
    return (180 + 8 * steps.cumsum(0)).clamp(60, 480).reshape(1, 1, 1, frames)


def test_the_phase_stays_exact_over_a_long_run() -> None:
    """Against integers: after five minutes no bit of the phase is wrong."""
    source, f0 = HarmonicSource(RATE, HOP), contour(30_000)
    _, state = source.step(f0, source.init_state(1))
    before, turns = 0, 0
    for now in torch.round(f0.flatten() * (GRID / RATE)).int().tolist():
        turns += (HOP - 1) * before + (HOP + 1) * now  # half grid steps
        before = now
    phase = state["phase"]
    assert isinstance(phase, Tensor)
    exact = turns % (2 * GRID)
    assert phase.item() * 2 * GRID % (2 * GRID) == exact


def test_pulses_come_at_f0() -> None:
    source = HarmonicSource(RATE, HOP)
    pulses = source(torch.full((1, 1, 1, 110), 200.0))[0, 0, 0, 10 * HOP :]
    peaks = (pulses[1:-1] > pulses[:-2]) & (pulses[1:-1] >= pulses[2:]) & (pulses[1:-1] > 0.5)
    assert abs(int(peaks.sum()) - 200) <= 1
    assert 0.8 < pulses.max() <= 1.0


def test_f0_glides_from_frame_to_frame() -> None:
    source, hop = HarmonicSource(RATE, HOP), HOP
    f0 = torch.cat([torch.full((5,), 100.0), torch.full((5,), 300.0)]).reshape(1, 1, 1, 10)
    state = source.init_state(1)
    ends = []
    for frame in f0.split(1, dim=-1):
        _, state = source.step(frame, state)
        ends.append(state["phase"])
    assert isinstance(ends[5], Tensor)
    assert isinstance(ends[4], Tensor)
    mean_hz = 100.0 + (300.0 - 100.0) * (hop + 1) / (2 * hop)
    advance = (ends[5] - ends[4]).item() % 1
    assert advance == pytest.approx(mean_hz * hop / RATE % 1, abs=0.01)


def test_little_folds_back_below_six_kilohertz() -> None:
    """Between the harmonics of a steady tone there is next to nothing."""
    source, seconds = HarmonicSource(RATE, HOP), 2
    f0 = round(237.0 * GRID / RATE) * RATE / GRID
    pulses = source(torch.full((1, 1, 1, 100 * seconds + 10), f0)).flatten()[10 * HOP :].double()
    window = torch.blackman_window(pulses.numel(), dtype=torch.float64)
    power = torch.fft.rfft(pulses * window).abs() ** 2
    frequency = torch.arange(power.numel()) / seconds
    near = ((frequency / f0 - (frequency / f0).round()) * f0).abs() < 4
    for low, high, apart_db in ((0, 4000, 45), (4000, 6000, 22)):
        band = (frequency > low + 100) & (frequency < high)
        ratio = power[band & near].sum() / power[band & ~near].sum()
        assert 10 * ratio.log10() > apart_db


@pytest.mark.parametrize("f0", [contour(200), torch.full((1, 1, 1, 200), 90.0)])
def test_nothing_sounds_below_f0(f0: Tensor) -> None:
    pulses = HarmonicSource(RATE, HOP)(f0).flatten()[2 * HOP :].double()
    window = torch.blackman_window(pulses.numel(), dtype=torch.float64)
    power = torch.fft.rfft(pulses * window).abs() ** 2
    frequency = torch.arange(power.numel()) * RATE / pulses.numel()
    below = power[frequency < 40].mean() / power[frequency < 2000].mean()
    assert 10 * below.log10() < -30


@pytest.mark.parametrize(("asked", "sounded"), [(1.0, 50.0), (3000.0, 500.0), (-5.0, 50.0)])
def test_f0_is_kept_within_the_voice_s_range(asked: float, sounded: float) -> None:
    source = HarmonicSource(RATE, HOP)
    one, other = (source(torch.full((1, 1, 1, 9), f0)) for f0 in (asked, sounded))
    assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("rate", "hop", "message"),
    [(16000, 64000, "too long: shorten the hop"), (16000, 0, "hop 0"), (1, 160, "sample_rate 1")],
)
def test_a_hop_that_would_lose_bits_is_refused(rate: int, hop: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HarmonicSource(rate, hop)


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_keep_the_same_phase_to_the_bit(engine: str) -> None:
    """Two minutes on, the pulses still stand where torch puts them."""
    source, f0 = HarmonicSource(RATE, HOP), contour(12_000)
    there, here = ENGINES[engine](source, f0), source(f0)
    torch.testing.assert_close(there, here, atol=1e-6, rtol=0)


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_draw_the_same_noise_to_the_bit(engine: str) -> None:
    source, frames = NoiseSource(33), torch.zeros(1, 1, 1, 500)
    assert torch.equal(ENGINES[engine](source, frames), run_torch(source, frames))


def test_noise_is_uniform_and_white() -> None:
    draws = NoiseSource(170)(torch.zeros(1, 1, 1, 2000))[0].reshape(340, 2000)
    assert draws.abs().max() < 0.5
    assert draws.mean().abs() < 1e-3
    assert draws.mean(dim=1).abs().max() < 0.03
    assert draws.var() == pytest.approx(1 / 12, rel=0.01)
    between = torch.corrcoef(draws) - torch.eye(340)
    assert between.abs().max() < 0.2
    assert between.square().mean().sqrt() < 1.1 / 2000**0.5
    for lag in (1, 2, 3):
        after = (draws[:, lag:] * draws[:, :-lag]).mean(dim=1) * 12
        assert after.abs().max() < 0.12


def test_every_lane_runs_through_its_whole_period() -> None:
    draws = NoiseSource(170)(torch.zeros(1, 1, 1, STEPS))[0].reshape(340, STEPS)
    grid = ((draws + 0.5) * STEPS).floor()
    assert torch.equal(grid.sort(dim=1).values, torch.arange(STEPS).expand(340, -1).float())


def test_noise_needs_rows() -> None:
    with pytest.raises(ValueError, match="rows 0 must be at least 1"):
        NoiseSource(0)

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from edge_vc.nn import RunningMean


def frames(level: float, count: int, channels: int = 8) -> Tensor:
    """A constant spectrum ``[1, channels, 1, count]`` around a level in nats."""
    shape = torch.linspace(-1, 1, channels).reshape(1, channels, 1, 1)
    return (level + shape).expand(-1, -1, -1, count)


def test_the_prior_weighs_thirty_frames() -> None:
    y = RunningMean(8)(frames(2.0, 30))
    torch.testing.assert_close(y[..., -1:], frames(2.0, 1) / 2)


def test_a_channel_is_taken_out_in_time() -> None:
    y = RunningMean(8)(frames(2.0, 1500))
    assert y[..., -1].abs().max() < 0.06


def test_the_mean_forgets_at_a_steady_rate() -> None:
    layer = RunningMean(8)
    _, state = layer.step(frames(0.0, 1000), layer.init_state(1))
    y, _ = layer.step(frames(2.0, 2), state)
    step = (y[..., 0] - y[..., 1]) / y[..., 0]
    torch.testing.assert_close(step, torch.full_like(step, 1 / 300), atol=1e-4, rtol=0)


def test_pauses_leave_the_mean_alone() -> None:
    layer = RunningMean(8)
    _, speech = layer.step(frames(1.0, 200), layer.init_state(1))
    _, pause = layer.step(frames(-6.0, 200), speech)
    for name in ("mean", "weight"):
        before, after = speech[name], pause[name]
        assert isinstance(before, Tensor)
        assert isinstance(after, Tensor)
        assert torch.equal(before, after)


def test_the_peak_falls_so_that_a_quieter_speaker_counts_again() -> None:
    """Slowly, as older files have it: `RecoveringMean` is what new students recover by."""
    layer = RunningMean(8)
    _, loud = layer.step(frames(6.0, 100), layer.init_state(1))
    soft = frames(-0.5, 100)
    still, _ = layer.step(soft, loud)
    assert torch.equal(still[..., 0], still[..., -1])
    _, later = layer.step(frames(-9.0, 1000), loud)
    moved, _ = layer.step(soft, later)
    assert (moved[..., -1] - moved[..., 0]).abs().min() > 0.1


def test_the_edge_of_the_gate_is_soft() -> None:
    """A frame's weight moves little when its level does: rounding cannot flip it."""
    layer = RunningMean(8)
    _, state = layer.step(frames(0.0, 50), layer.init_state(1))
    weights = []
    for level in torch.linspace(-7, -4, 61):
        _, after = layer.step(frames(float(level), 1), state)
        weight, before = after["weight"], state["weight"]
        assert isinstance(weight, Tensor)
        assert isinstance(before, Tensor)
        weights.append((weight - before).item())
    steps = torch.tensor(weights).diff()
    assert weights[0] == 0
    assert weights[-1] == pytest.approx(layer.edge, rel=1e-4)
    assert steps.min() >= 0
    assert steps.max() < 0.06


def test_no_gradient_flows_through_the_mean() -> None:
    x = torch.randn(1, 8, 1, 20, requires_grad=True)
    RunningMean(8)(x).sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, torch.ones_like(x))


def test_a_memory_below_the_prior_is_refused() -> None:
    with pytest.raises(ValueError, match="prior_frames 30 must be within 1..19"):
        RunningMean(8, memory_frames=20)

from __future__ import annotations

import pytest
import torch
from torch import nn

from edge_vc.training.schedule import Budget, MovingAverage, learning_rate


def test_budget_of_steps_counts_steps_alone() -> None:
    assert Budget(steps=10).progress(5, seconds=1e9) == 0.5


def test_budget_of_minutes_counts_the_clock_alone() -> None:
    assert Budget(minutes=2).progress(10**9, seconds=60) == 0.5


@pytest.mark.parametrize(
    "limits", [{}, {"steps": 1, "minutes": 1.0}, {"steps": 0}, {"minutes": -1.0}]
)
def test_budget_is_one_positive_limit(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="either steps or minutes"):
        Budget(**limits)  # type: ignore[arg-type]


def test_learning_rate_rises_then_falls_to_its_floor() -> None:
    rates = [learning_rate(p / 100, 1.0, floor=0.02, warm=0.1) for p in range(101)]
    assert max(rates) == pytest.approx(1.0, abs=1e-3)
    assert rates.index(max(rates)) == 10
    assert rates[-1] == pytest.approx(0.02, abs=1e-4)
    assert rates[11:] == sorted(rates[11:], reverse=True)


def test_moving_average_follows_without_touching_the_network() -> None:
    network = nn.Linear(2, 2)
    average = MovingAverage(network, decay=0.5)
    before = average.network.weight.clone()
    with torch.no_grad():
        network.weight.add_(1.0)
    kept = network.weight.clone()
    for _ in range(60):
        average.update(network)
    assert torch.equal(network.weight, kept)
    assert not torch.allclose(average.network.weight, before, atol=0.5)
    torch.testing.assert_close(average.network.weight, kept, atol=1e-4, rtol=0)

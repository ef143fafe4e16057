"""Narrower students: on budget, dependency-aware, rebuilt from their configuration."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from compress_toys import speech

from edge_vc.compress.pruning.cost import TargetError, cost_of, fit_config, trunk_weights
from edge_vc.compress.pruning.magnitude import hold_zeros, release_zeros, sparsity_of, zero_smallest
from edge_vc.compress.pruning.settings import TargetSettings
from edge_vc.compress.pruning.structured import prune_student
from edge_vc.models.student.config import TIERS, StudentConfig
from edge_vc.models.student.student import Student
from edge_vc.nn import flatten_state

WIDE = TIERS["wide"]


@pytest.fixture(scope="module")
def wide() -> Student:
    torch.manual_seed(0)
    return Student(WIDE).eval()


@pytest.mark.parametrize(
    "config",
    [
        WIDE,
        TIERS["nano"],
        replace(WIDE, lookahead=2),
        replace(WIDE, lookahead=2, lookahead_in="first"),
    ],
)
def test_trunk_weights_are_counted_from_the_configuration(config: StudentConfig):
    assert trunk_weights(config) == Student(config).trunk_parameters()


@pytest.mark.parametrize(
    "budget",
    [
        TargetSettings(150, 800),
        TargetSettings(60, 400),
        TargetSettings(45, 1e5),
        TargetSettings(1e5, 300),
    ],
)
def test_the_budget_is_met_and_used(wide, budget):
    cost = cost_of(prune_student(wide, budget))
    used = max(cost.mmacs / budget.max_mmacs, cost.trunk_weights / 1e3 / budget.max_weight_kb)
    assert 0.97 <= used <= 1.0


def test_the_configuration_tells_the_cost_beforehand(wide):
    budget = TargetSettings(60, 400)
    expected = cost_of(Student(fit_config(WIDE, budget)))
    assert cost_of(prune_student(wide, budget)) == expected


def test_a_budget_that_is_met_already_changes_nothing(tiny_student):
    kept = prune_student(tiny_student, TargetSettings(1000, 1000))
    assert kept.config == tiny_student.config
    audio = speech(0.5)
    with torch.no_grad():
        assert torch.equal(kept(audio), tiny_student(audio))


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (TargetSettings(2, 400), "target.max_mmacs = 2"),
        (TargetSettings(100, 5), "target.max_weight_kb = 5"),
    ],
)
def test_an_impossible_budget_is_refused_with_the_least_possible(wide, budget, words):
    with pytest.raises(TargetError, match=rf"{words}.*allowed are \d+\.\d and more"):
        prune_student(wide, budget)


def tenth(config: StudentConfig) -> StudentConfig:
    return replace(
        config,
        channels=config.channels // 10,
        outputs=config.outputs // 10,
        hidden=tuple(width // 10 for width in config.hidden),
    )


def test_a_student_keeps_a_tenth_of_its_width_and_no_more_is_asked(wide):
    least = trunk_weights(tenth(WIDE)) / 1e3
    with pytest.raises(TargetError, match=rf"allowed are {least:.1f} and more"):
        fit_config(WIDE, TargetSettings(1e5, 0.9 * least))
    fitted = fit_config(WIDE, TargetSettings(1e5, 2 * least), round_to=1)
    assert trunk_weights(fitted) <= 2e3 * least
    assert fitted.channels < 0.2 * WIDE.channels


def loss_of(student: Student) -> torch.Tensor:
    return student.head.predict(student.trunk(torch.ones(1, 24, 1, 30))).bands.square().mean()


@pytest.mark.parametrize("loss", [None, loss_of], ids=["l2", "taylor"])
def test_a_pruned_student_streams_as_it_runs_offline(tiny_student, loss):
    pruned = prune_student(tiny_student, TargetSettings(1000, 6), round_to=4, loss=loss)
    assert pruned.config.channels < tiny_student.config.channels
    contexts = flatten_state(pruned.trunk.init_state(1)).values()
    assert {context.shape[1] for context in contexts} == {pruned.config.channels}
    audio = speech(1.0, 3)
    state, parts = pruned.init_state(1), []
    with torch.no_grad():
        for hop in torch.split(audio, pruned.config.hop, -1):
            y, state = pruned.step(hop, state)
            parts.append(y)
        torch.testing.assert_close(torch.cat(parts, -1), pruned(audio), atol=1e-4, rtol=0)


def test_channels_that_do_nothing_leave_first(tiny_student):
    torch.manual_seed(0)
    student = Student(tiny_student.config).eval()
    idle = list(range(0, 64, 2))
    widening, narrowing = student.trunk[2].inner[2].conv, student.trunk[2].inner[4].conv
    with torch.no_grad():
        widening.weight[idle] = 0.0
        narrowing.weight[:, idle] = 0.0
        student.trunk[2].inner[3].body[0].weight[idle] = 0.0
    # Hidden channels only: stream and outputs keep their width.
    weights = trunk_weights(student.config) - 2 * 32 * 32
    pruned = prune_student(student, TargetSettings(1000, weights / 1e3), round_to=1)
    kept = pruned.trunk[2].inner[2].conv.weight.abs().amax((1, 2, 3))
    assert len(kept) < 60
    assert int((kept > 0).sum()) == 32


def test_magnitude_pruning_zeroes_weights_and_makes_nothing_smaller(tiny_student):
    torch.manual_seed(0)
    student = Student(tiny_student.config).eval()
    before = cost_of(student)
    zero_smallest(student.trunk, 0.6)
    assert sparsity_of(student.trunk) == pytest.approx(0.6, abs=0.01)
    assert cost_of(student) == before


def test_zeros_stay_while_training(tiny_student):
    torch.manual_seed(0)
    student = Student(tiny_student.config).eval()
    zero_smallest(student.trunk, 0.5)
    pattern = [conv == 0 for conv in student.trunk.parameters() if conv.dim() == 4]
    names = list(student.state_dict())
    hold_zeros(student.trunk)
    optimizer = torch.optim.Adam(student.parameters(), 1e-2)
    for _ in range(3):
        optimizer.zero_grad()
        loss_of(student).backward()
        optimizer.step()
    release_zeros(student.trunk)
    assert list(student.state_dict()) == names
    trained = [conv for conv in student.trunk.parameters() if conv.dim() == 4]
    for zeros, weight in zip(pattern, trained, strict=True):
        assert not weight[zeros].any()
        assert weight[~zeros].any()

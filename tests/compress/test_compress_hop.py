"""A recipe with another hop or sample rate, from its file to the first steps of distillation."""

from __future__ import annotations

import pytest
import torch

from edge_vc.compress.recipe import Recipe
from edge_vc.compress.stages.initial_student import expected_costs, initial_student
from edge_vc.settings.field import RecipeError


def recipe(student: str) -> Recipe:
    return Recipe.from_toml(f"[student]\n{student}")


@pytest.mark.parametrize(("hop_ms", "latency"), [(2.5, 5.0), (5, 10.0), (20, 40.0)])
def test_shipped_weights_start_at_another_hop(hop_ms: float, latency: float) -> None:
    student = initial_student(recipe(f"hop_ms = {hop_ms}").student)
    usual = initial_student(recipe("").student)

    assert student.algorithmic_latency_ms == latency
    name = "trunk.3.inner.2.conv.weight"
    assert torch.equal(student.state_dict()[name], usual.state_dict()[name])


def test_a_random_student_takes_hop_and_rate() -> None:
    given = 'tier = "nano"\nweights = "random"\nhop_ms = 5\nsample_rate = 24000'
    config = initial_student(recipe(given).student).config

    assert (config.hop, config.sample_rate, config.analysis_window) == (120, 24_000, 768)


def test_a_shorter_hop_costs_more_steps_and_is_pruned_to_the_same_budget() -> None:
    before, after = expected_costs(recipe("hop_ms = 5"))
    usual, _ = expected_costs(recipe(""))

    assert before.mmacs > 1.8 * usual.mmacs
    assert after.mmacs <= 150
    assert (before.latency_ms, usual.latency_ms) == (10.0, 20.0)


@pytest.mark.parametrize(
    ("student", "words"),
    [
        ("sample_rate = 24000", "are for 16000 Hz, not student.sample_rate = 24000"),
        (
            'weights = "random"\nhop_ms = 2.5\nsample_rate = 22050',
            "student.hop_ms = 2.5 at 22050 Hz is 55.125 samples",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(student: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words) as caught:
        initial_student(recipe(student).student)
    assert "\n" not in str(caught.value)

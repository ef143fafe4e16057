from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from edge_vc.compress.recipe import Recipe
from edge_vc.compress.stages.initial_student import initial_student
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.file import save_student
from edge_vc.models.student.student import Student
from edge_vc.models.student.transforms.lookahead import with_lookahead
from edge_vc.settings.field import RecipeError

TINY = StudentConfig(channels=16, hidden=(16, 16), dilations=(1, 2), outputs=16)


def test_a_student_made_to_wait_says_the_same_later() -> None:
    torch.manual_seed(0)
    student = Student(TINY).eval()
    waiting = with_lookahead(student, 2)
    assert waiting.delay == student.delay + 2 * TINY.hop
    assert waiting.algorithmic_latency_ms == student.algorithmic_latency_ms + 20
    audio = 0.1 * torch.randn(1, 1, 1, 40 * TINY.hop)
    now, late = student.predict(audio), waiting.predict(audio)
    torch.testing.assert_close(late.features[..., 2:], now.features[..., :-2])
    assert now.log_f0 is not None
    assert late.log_f0 is not None
    torch.testing.assert_close(late.log_f0[..., 2:], now.log_f0[..., :-2])


def test_the_future_can_be_learnt_from() -> None:
    waiting = with_lookahead(Student(TINY), 1).train()
    waiting.trunk(torch.randn(2, TINY.mels, 1, 12)).square().mean().backward()
    gradient = dict(waiting.named_parameters())["trunk.0.conv.weight"].grad
    assert gradient is not None
    assert gradient[..., 1].abs().max() > 0


def test_a_recipe_asks_for_it(tmp_path: Path) -> None:
    path = save_student(Student(TINY), tmp_path / "student.safetensors")
    recipe = Recipe()
    asked = replace(recipe, student=replace(recipe.student, weights=str(path), lookahead=1))
    waiting = initial_student(asked.student)
    assert waiting.config.lookahead == 1
    save_student(waiting, path)
    assert initial_student(asked.student).config.lookahead == 1
    with pytest.raises(RecipeError, match="lookahead = 2: it waits for 1 hops already"):
        initial_student(replace(asked.student, lookahead=2))

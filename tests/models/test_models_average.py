"""The initial student may be the mean of two that were fine-tuned from the same one."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from edge_vc.compress.recipe import Recipe
from edge_vc.compress.stages.initial_student import initial_student
from edge_vc.compress.stages.prune import PruneStage
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.file import save_student
from edge_vc.models.student.student import Student
from edge_vc.models.student.transforms.average import averaged
from edge_vc.settings.field import RecipeError

TINY = StudentConfig(channels=16, hidden=(16, 16), dilations=(1, 2), outputs=16)


def moved(student: Student, by: float) -> Student:
    other = copy.deepcopy(student)
    with torch.no_grad():
        for weight in other.parameters():
            weight += by
    return other


def test_every_weight_is_the_mean() -> None:
    torch.manual_seed(0)
    one = Student(TINY).eval()
    before = {name: value.clone() for name, value in one.state_dict().items()}
    mean = averaged(one, moved(one, 0.5))
    for name, weight in mean.named_parameters():
        torch.testing.assert_close(weight.detach(), before[name] + 0.25)
    for name, value in one.state_dict().items():
        torch.testing.assert_close(value, before[name])
    same = averaged(one, copy.deepcopy(one))
    audio = 0.1 * torch.randn(1, 1, 1, 20 * TINY.hop)
    torch.testing.assert_close(same.predict(audio).bands, one.predict(audio).bands)


def test_students_of_two_shapes_have_no_mean() -> None:
    with pytest.raises(ValueError, match="differ in their configuration"):
        averaged(Student(TINY), Student(replace(TINY, outputs=24)))


def test_a_recipe_asks_for_the_mean_and_mistakes_are_one_line(tmp_path: Path) -> None:
    torch.manual_seed(0)
    one = Student(TINY).eval()
    first = save_student(one, tmp_path / "first.safetensors")
    second = save_student(moved(one, 0.5), tmp_path / "second.safetensors")
    wider = save_student(Student(replace(TINY, outputs=24)), tmp_path / "wider.safetensors")
    settings = replace(Recipe().student, weights=str(first), average_with=str(second))
    mean = dict(initial_student(settings).named_parameters())
    for name, weight in one.named_parameters():
        torch.testing.assert_close(mean[name].detach(), weight.detach() + 0.25)
    for wrong, words in (
        ({"average_with": str(tmp_path / "none.safetensors")}, "does not exist"),
        ({"average_with": str(wider)}, "differ in their configuration"),
        ({"weights": "random"}, "fine-tuned from the same one"),
    ):
        with pytest.raises(RecipeError, match=words) as raised:
            initial_student(replace(settings, **wrong))
        assert "student.average_with = " in str(raised.value)
        assert "\n" not in str(raised.value)


def test_a_change_of_the_second_student_is_noticed(tmp_path: Path) -> None:
    one = Student(TINY).eval()
    first = save_student(one, tmp_path / "first.safetensors")
    second = save_student(moved(one, 0.5), tmp_path / "second.safetensors")
    alone = replace(Recipe().student, weights=str(first))

    def inputs(**given: str) -> dict[str, str]:
        stage = PruneStage(replace(Recipe(), student=replace(alone, **given)))
        return dict(stage.external_inputs())

    both = inputs(average_with=str(second))
    assert inputs() == {"student file": both["student file"]}
    save_student(moved(one, 1.0), second)
    changed = inputs(average_with=str(second))
    assert changed["student file"] == both["student file"]
    assert changed != both

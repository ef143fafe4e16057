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
from edge_vc.models.student.transforms.lookahead import looking_ahead_in_blocks, with_lookahead
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


@pytest.mark.parametrize(
    ("frames", "kernel", "dilations", "found"),
    [
        (0, 5, (1, 2, 4), (0, 0, 0)),
        (1, 5, (1, 2, 4), (1, 0, 0)),
        (4, 5, (1, 2, 4), (2, 2, 0)),
        (7, 5, (1, 2, 4), (2, 4, 1)),
        (3, 3, (1, 2, 4), (1, 2, 0)),
        (14, 5, (1, 2, 4), (2, 4, 8)),
    ],
)
def test_early_blocks_look_ahead_first(
    frames: int, kernel: int, dilations: tuple[int, ...], found: tuple[int, ...]
) -> None:
    config = replace(TINY, hidden=(16,) * 3, dilations=dilations, kernel=kernel, lookahead=frames)
    assert config.block_lookahead == found
    assert replace(config, lookahead_in="first").block_lookahead == (0, 0, 0)
    student = Student(config)
    assert student.trunk.delay == frames
    assert student.delay == frames * config.hop + Student(TINY).delay


def test_blocks_that_cannot_see_so_far_are_refused() -> None:
    with pytest.raises(ValueError, match="lookahead = 7: the blocks see at most 6 frames ahead"):
        replace(TINY, lookahead=7)
    with pytest.raises(ValueError, match="lookahead_in = 'both': must be one of blocks, first"):
        StudentConfig.from_dict({"lookahead_in": "both", "lookahead": 1})


@pytest.mark.parametrize("ahead", [1, 3, 6])
def test_a_frame_is_answered_by_what_comes_before_and_after_it(ahead: int) -> None:
    """What a frame of the trunk says depends on as many later frames as it waits for."""
    torch.manual_seed(0)
    student = Student(replace(TINY, lookahead=ahead)).eval()
    frames = torch.randn(1, TINY.mels, 1, 40)
    plain = student.trunk(frames)
    for place in (20, 20 + ahead, 21 + ahead):
        changed = frames.clone()
        changed[..., place] += 1.0
        # Frame 20 is answered `ahead` frames late.
        moved = (student.trunk(changed) - plain)[..., 20 + ahead].abs().max() > 1e-6
        assert moved == (place <= 20 + ahead)


def test_files_of_before_look_ahead_in_the_first_convolution() -> None:
    written = replace(TINY, lookahead=2, lookahead_in="first").to_dict()
    del written["lookahead_in"]
    assert StudentConfig.from_dict(written).lookahead_in == "first"
    for config in (TINY, replace(TINY, lookahead=2), replace(TINY, lookahead_in="first")):
        again = StudentConfig.from_dict(config.to_dict())
        assert Student(again).state_dict().keys() == Student(config).state_dict().keys()
        assert again.block_lookahead == config.block_lookahead


def test_a_trained_student_can_look_ahead_in_its_blocks(tmp_path: Path) -> None:
    torch.manual_seed(0)
    former = Student(replace(TINY, lookahead=2, lookahead_in="first")).eval()
    moved = looking_ahead_in_blocks(former)
    audio = 0.1 * torch.randn(1, 1, 1, 40 * TINY.hop)
    before, now = former.predict(audio), moved.predict(audio)
    assert moved.config == replace(TINY, lookahead=2)
    assert moved.delay == former.delay
    assert before.log_f0 is not None
    assert now.log_f0 is not None
    # The recurrent layer hears two frames of nothing before the first one.
    torch.testing.assert_close(now.log_f0[..., 30:], before.log_f0[..., 30:])
    last = "trunk.3.inner.4.conv.weight"
    torch.testing.assert_close(moved.state_dict()[last], former.state_dict()[last])
    with pytest.raises(ValueError, match="looks ahead in its blocks already"):
        looking_ahead_in_blocks(moved)
    path = save_student(former, tmp_path / "student.safetensors")
    settings = replace(Recipe().student, weights=str(path))
    assert initial_student(settings).config.lookahead_in == "first"
    asked = initial_student(replace(settings, lookahead_in="blocks"))
    assert asked.config.lookahead_in == "blocks"
    save_student(moved, path)
    assert initial_student(settings).config.lookahead_in == "blocks"
    with pytest.raises(RecipeError, match='lookahead_in = "first": it looks ahead in its blocks'):
        initial_student(replace(settings, lookahead_in="first"))


def test_random_students_look_ahead_where_they_are_told() -> None:
    settings = replace(Recipe().student, weights="random", tier="clear")
    assert initial_student(settings).config.lookahead_in == "blocks"
    first = initial_student(replace(settings, lookahead_in="first"))
    assert first.config.block_lookahead == (0,) * 6

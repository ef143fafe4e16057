"""The term `words`: what a phone recogniser hears in the student's sound and in the teacher's."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from test_training_distill import QUICK, example, student, trained
from torch import Tensor
from typer.testing import CliRunner

from edge_vc.compress.cli import app
from edge_vc.models.content.encoder import ContentError
from edge_vc.training.student.batches import DistillBatches
from edge_vc.training.student.distiller import Distillation
from edge_vc.training.student.recogniser import RecogniserDistance


@pytest.fixture(scope="module")
def distance() -> RecogniserDistance:
    try:
        return RecogniserDistance(16_000)
    except ContentError as error:
        pytest.skip(str(error))


def sounds() -> Tensor:
    """Two segments of a second: pulses through formants that move, and noise between them."""
    time = torch.arange(16_000) / 16_000
    voice = sum(
        torch.sin(2 * torch.pi * 120 * k * time) * math.exp(-(((120 * k - 700) / 400) ** 2))
        for k in range(1, 40)
    )
    torch.manual_seed(1)
    hiss = 0.1 * torch.randn(2, 16_000) * (torch.sin(2 * torch.pi * 3 * time) > 0)
    return 0.1 * voice[None] * torch.tensor([[1.0], [0.5]]) + hiss


def test_the_same_sound_is_no_distance_apart(distance: RecogniserDistance) -> None:
    assert float(distance(sounds(), sounds(), sounds())) == pytest.approx(0, abs=1e-5)


def test_a_lost_sound_is_farther_than_a_softer_one(distance: RecogniserDistance) -> None:
    sound = sounds()
    softer, lost = 0.8 * sound, sound.clone()
    lost[:, 6_000:12_000] = 0.001 * torch.randn(2, 6_000)
    assert float(distance(lost, sound, sound)) > 1.5 * float(distance(softer, sound, sound)) > 0


def test_phones_are_those_of_the_source_and_frames_those_of_the_target(
    distance: RecogniserDistance,
) -> None:
    sound, other = sounds(), 0.05 * torch.randn(2, 16_000)
    both = float(distance(sound, other, other))
    assert 0 < float(distance(sound, other, sound)) < both
    assert 0 < float(distance(sound, sound, other)) < both


def test_the_source_is_delayed_like_the_target() -> None:
    told = replace(example(), target=example().source)
    batches = DistillBatches(student(), [told], 60, sources=True)
    batch = batches.draw(3, np.random.default_rng(0))
    assert batch.source is not None
    assert torch.equal(batch.source, batch.audio)
    assert DistillBatches(student(), [told], 60).draw(1, np.random.default_rng(0)).source is None


def test_its_gradient_brings_a_sound_nearer(distance: RecogniserDistance) -> None:
    sound = sounds()
    mine = (sound + 0.05 * torch.randn_like(sound)).requires_grad_()
    before = distance(mine, sound, sound)
    before.backward()
    assert mine.grad is not None
    with torch.no_grad():
        nearer = mine - 0.02 * mine.grad / mine.grad.abs().mean() * 0.05
    assert float(distance(nearer, sound, sound)) < float(before.detach())


def test_a_student_learns_with_it_and_its_value_is_in_the_log(
    distance: RecogniserDistance, tmp_path: Path
) -> None:
    off = trained(tmp_path / "off", replace(QUICK, words=0.0))
    on = trained(tmp_path / "on", replace(QUICK, words=2.0))
    pairs = zip(off.parameters(), on.parameters(), strict=True)
    assert any(not torch.equal(a, b) for a, b in pairs)
    row = json.loads((tmp_path / "on" / "log.jsonl").read_text().splitlines()[-1])
    assert row["words"] > 0


def test_nothing_of_the_recogniser_is_in_the_student(
    distance: RecogniserDistance, tmp_path: Path
) -> None:
    made = Distillation(student(), [example()], replace(QUICK, words=1.0), tmp_path)
    plain = Distillation(student(), [example()], QUICK, tmp_path)
    assert made.student.state_dict().keys() == plain.student.state_dict().keys()
    assert len(made.trained) == len(plain.trained)


def test_another_rate_and_a_missing_package_are_one_line_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tmp_path / "mine.toml"

    def told(text: str) -> str:
        recipe.write_text(text)
        done = CliRunner().invoke(app, [str(recipe), "--run", str(tmp_path / "run")])
        assert done.exit_code == 2
        assert len(done.stderr.strip().splitlines()) == 1
        return done.stderr

    rate = '[student]\nweights = "random"\nsample_rate = 24000\n[distill]\nwords = 1.0\n'
    assert "distill.words = 1: the recogniser hears 16000 Hz" in told(rate)
    monkeypatch.setattr("edge_vc.settings.package.find_spec", lambda name: None)
    line = told("[distill]\nwords = 1.0\n")
    assert "hama is not installed: pip install 'hama==1.7.0'" in line

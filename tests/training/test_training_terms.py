"""A loss is the weighted sum of its terms, and a term can come from outside the package."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pytest
import torch
from speech_toys import pairs
from torch import Tensor

from edge_vc.augmentation.noise_bank import NoiseBank
from edge_vc.models.teacher.config import TeacherConfig
from edge_vc.training.schedule import Budget, TrainingSession
from edge_vc.training.teacher import losses
from edge_vc.training.teacher.forward_pass import ForwardPass
from edge_vc.training.teacher.input_settings import InputSettings
from edge_vc.training.teacher.loss_settings import LossSettings
from edge_vc.training.teacher.settings import TeacherSettings
from edge_vc.training.teacher.trainer import TeacherTraining
from edge_vc.training.terms import weighted_sum


@dataclass(frozen=True)
class Weights:
    square: float = 2.0
    size: float = 3.0


TERMS = {"square": lambda x: x.square().sum(), "size": lambda x: x.abs().sum()}


def test_the_sum_is_weighted_and_the_terms_are_not() -> None:
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    total, values = weighted_sum(TERMS, Weights(), x)
    assert total.item() == pytest.approx(2 * 5 + 3 * 3)
    assert {name: value.item() for name, value in values.items()} == {"square": 5.0, "size": 3.0}
    assert not any(value.requires_grad for value in values.values())
    total.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [4 + 3, -8 - 3]


def test_a_term_without_weight_is_not_computed() -> None:
    def broken(x: Tensor) -> Tensor:
        raise AssertionError

    total, values = weighted_sum(TERMS | {"square": broken}, Weights(square=0.0), torch.ones(2))
    assert (total.item(), list(values)) == (6.0, ["size"])


def test_a_term_that_does_not_apply_is_left_out() -> None:
    total, values = weighted_sum(TERMS | {"size": lambda x: None}, Weights(), torch.ones(2))
    assert (total.item(), list(values)) == (4.0, ["square"])
    with pytest.raises(ValueError, match="no loss term applies: the weights of square, size"):
        weighted_sum(TERMS, Weights(0.0, 0.0), torch.ones(2))


def test_a_term_needs_a_weight() -> None:
    with pytest.raises(ValueError, match="'peak' has no weight; add a field to Weights"):
        weighted_sum({"peak": torch.max}, Weights(), torch.ones(2))


def test_each_teacher_term_has_its_field() -> None:
    assert set(losses.TERMS) <= {spec.name for spec in fields(LossSettings)}


@dataclass(frozen=True)
class LevelSettings(LossSettings):
    level: float = 0.0


def level(step: ForwardPass) -> Tensor:
    """Return the difference in mean power of the paired crops, in dB."""
    made, truth = (x.square().mean() for x in (step.output.audio[: step.paired], step.batch.truth))
    return 10 * (made / truth).log10().abs()


def test_a_term_from_outside_trains_a_teacher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(losses.TERMS, "level", level)
    network = replace(
        TeacherConfig(), channels=16, bottleneck=8, encoder_blocks=1, decoder_blocks=1
    )
    rows, trained = {}, {}
    for weight in (0.0, 5.0):
        settings = TeacherSettings(
            network,
            InputSettings(mean_frames=40),
            LevelSettings(level=weight, adversarial_from=1.0),
            own=2,
            others=0,
            unpaired=0,
            frames=32,
        )
        folder = tmp_path / str(weight)
        folder.mkdir()
        run = TeacherTraining(settings, pairs(), ["me", "you"], NoiseBank.build([]), folder)
        run.run(TrainingSession(Budget(steps=2)))
        rows[weight] = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
        trained[weight] = run.networks.network.head.parameters()
    assert "level" not in rows[0.0]
    assert rows[5.0]["level"] > 0
    assert rows[5.0]["loss"] == pytest.approx(
        rows[5.0]["spectral"] + 5 * rows[5.0]["level"], rel=1e-3
    )
    same = (torch.equal(a, b) for a, b in zip(trained[0.0], trained[5.0], strict=True))
    assert not all(same)

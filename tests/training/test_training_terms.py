"""A loss is the weighted sum of its terms, and a term can come from outside the package."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pytest
import torch
from torch import Tensor

from edge_vc.training.discriminators import Discriminators
from edge_vc.training.gan import AdversarialLoss
from edge_vc.training.terms import weighted_sum
from edge_vc.training.voice import losses
from edge_vc.training.voice.losses import VoiceStep
from edge_vc.training.voice.settings import VoiceLossSettings


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


def test_each_term_of_a_voice_has_its_field() -> None:
    assert set(losses.VOICE_TERMS) <= {spec.name for spec in fields(VoiceLossSettings)}


@dataclass(frozen=True)
class LevelSettings(VoiceLossSettings):
    level: float = 0.0


def level(step: VoiceStep) -> Tensor:
    """Return the difference in mean power from the recordings, in dB."""
    made, truth = (x.square().mean() for x in (step.audio, step.truth))
    return 10 * (made / truth).log10().abs()


def test_a_term_from_outside_is_part_of_a_voice_s_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(losses.VOICE_TERMS, "level", level)
    adversary = AdversarialLoss(1e-3, Discriminators((256,), 4))
    audio, truth = torch.randn(2, 1, 8000, generator=torch.Generator().manual_seed(0))
    rng = np.random.default_rng(0)
    for weight in (0.0, 5.0):
        settings = LevelSettings(level=weight, adversarial_from=1.0)
        total, values = losses.VoiceLosses(settings, adversary)(0.1 * audio, truth, 0.0, rng)
        assert values.keys() == ({"spectral", "level"} if weight else {"spectral"})
        expected = values["spectral"] + weight * values.get("level", torch.zeros(()))
        torch.testing.assert_close(total, expected)

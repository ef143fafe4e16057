"""Rates, gradients, retrieval units, validation and forward pass of a teacher's training."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from speech_toys import pair, pairs

from edge_vc.data.pair_set import HOP
from edge_vc.models.teacher.config import TeacherConfig
from edge_vc.models.teacher.network import TeacherNetwork
from edge_vc.training.devices import OneDevice
from edge_vc.training.teacher.dataset import Pack
from edge_vc.training.teacher.forward_pass import ForwardPass, StepPart
from edge_vc.training.teacher.loss_settings import LossSettings
from edge_vc.training.teacher.networks import TrainedNetworks
from edge_vc.training.teacher.settings import TeacherSettings
from edge_vc.training.teacher.sources import voices_of
from edge_vc.training.teacher.units import _contents, with_units
from edge_vc.training.teacher.validation import ValidationSet
from edge_vc.training.voice.trainer import LARGEST_NORM

CPU = torch.device("cpu")
TINY = TeacherConfig(channels=16, bottleneck=8, encoder_blocks=1, decoder_blocks=1)


def networks(**losses: float) -> TrainedNetworks:
    torch.manual_seed(0)
    settings = TeacherSettings(TINY, losses=LossSettings(**losses), average_decay=0.5)
    return TrainedNetworks(settings, OneDevice())


def test_discriminators_learn_at_a_rate_of_their_own() -> None:
    trained = networks(discriminator_rate=0.25)
    trained.set_rate(2e-3)
    assert [group["lr"] for group in trained.optimiser.param_groups] == [2e-3]
    assert [group["lr"] for group in trained.adversary.optimiser.param_groups] == [5e-4]


@pytest.mark.parametrize("size", [0.01, 100.0])
def test_gradients_are_limited_in_norm(size: float) -> None:
    trained = networks()
    for parameter in trained.network.parameters():
        parameter.grad = torch.full_like(parameter, size)
    count = sum(parameter.numel() for parameter in trained.network.parameters())
    assert float(trained.update()) == pytest.approx(size * count**0.5, rel=1e-4)
    squares = [p.grad.square().sum() for p in trained.network.parameters() if p.grad is not None]
    norm = float(torch.stack(squares).sum().sqrt())
    assert norm == pytest.approx(min(LARGEST_NORM, size * count**0.5), rel=1e-3)


def test_units_are_the_centres_of_the_contents() -> None:
    torch.manual_seed(0)
    network = TeacherNetwork(replace(TINY, neighbours=2)).eval()
    recordings = [pair("me", seed).target for seed in range(4)]
    units = with_units(network, recordings, 6).units
    with torch.no_grad():
        frames = torch.cat(list(_contents(network, recordings)))
    nearest = torch.cdist(frames, units).argmin(1)
    for number, unit in enumerate(units):
        mine = frames[nearest == number]
        assert len(mine)
        torch.testing.assert_close(unit, mine.mean(0), rtol=0.05, atol=0.05)


def test_validation_tells_natural_input_from_another_voice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = [replace(p, held_out=True) for p in (pair("me", 1), pair("me", 2))]
    validation = ValidationSet(held, "me", CPU)
    monkeypatch.setattr(validation, "speak", lambda network, audio, f0, mean: audio)
    losses = validation.losses(TeacherNetwork(TINY))
    assert losses["natural"] == pytest.approx(0.0, abs=1e-5)
    assert losses["validation"] > 0.5
    assert ValidationSet([pair("you", 1)], "me", CPU).losses(TeacherNetwork(TINY)) == {}


def test_the_target_is_the_first_voice() -> None:
    pack = Pack(tuple(pairs()), (), ())
    assert voices_of(pack, "me") == ["me", "you"]
    assert voices_of(pack, "you") == ["you", "me"]
    with pytest.raises(ValueError, match="'other'"):
        voices_of(pack, "other")


class SeenAudio:
    """Keeps what discriminators would be given."""

    def accumulate(self, real: torch.Tensor, fake: torch.Tensor, share: float) -> torch.Tensor:
        self.real, self.fake, self.share = real, fake, share
        return torch.zeros(())

    def generator_loss(self, fake: torch.Tensor, real: torch.Tensor) -> Any:
        assert fake is self.fake
        assert real is self.real
        return torch.ones(()), torch.ones(())


def test_discriminators_see_the_targets_crops_and_the_unpaired_ones() -> None:
    seen: Any = SeenAudio()
    modules: Any = SimpleNamespace(settings=LossSettings(adversarial_frames=4), adversary=seen)
    audio, truth = torch.randn(6, 20 * HOP), torch.randn(4, 20 * HOP)
    batch: Any = SimpleNamespace(truth=truth, own=3)
    output: Any = SimpleNamespace(audio=audio)
    step = ForwardPass(modules, TeacherNetwork(TINY), batch, output, StepPart(True, 5, 0.5))
    assert len(step.generator_loss) == 2
    span = slice(5 * HOP, 9 * HOP)
    assert torch.equal(seen.real, truth[:3, span])
    assert torch.equal(seen.fake, audio[[0, 1, 2, 4, 5], span])
    assert seen.share == 0.5
    assert list(step.figures) == ["discriminator"]


def test_log_f0_is_averaged_over_voiced_frames() -> None:
    from edge_vc.training.teacher.speech_bank import SpeechBank

    bank = SpeechBank([pair("me", 1), pair("me", 9), pair("you", 4)], ["me", "you"], CPU)
    expected = [np.log([130.0, 210.0]).mean(), np.log(160.0)]
    np.testing.assert_allclose(bank.mean_log_f0, expected, rtol=1e-5)

"""The loss of a voice: spectral distance from the recordings, and the adversarial terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edge_vc.data.pair_set import HOP
from edge_vc.training.gan import AdversarialLoss, GeneratorLoss
from edge_vc.training.losses import SpectralLoss
from edge_vc.training.terms import Term, weighted_sum
from edge_vc.training.voice.settings import VoiceLossSettings


@dataclass(frozen=True)
class VoiceStep:
    """What the loss terms of a step are computed from."""

    distance: SpectralLoss
    audio: Tensor
    """``[B, T]``"""
    truth: Tensor
    """``[B, T]``"""
    generator: GeneratorLoss | None
    """None until the discriminators take part."""


def spectral(step: VoiceStep) -> Tensor:
    """Return the spectral distance from the recordings."""
    total: Tensor = step.distance(step.audio, step.truth)
    return total


def adversarial(step: VoiceStep) -> Tensor | None:
    """Return the adversarial loss."""
    return None if step.generator is None else step.generator.adv_loss


def matching(step: VoiceStep) -> Tensor | None:
    """Return the feature-matching loss."""
    return None if step.generator is None else step.generator.fm_loss


VOICE_TERMS: Mapping[str, Term[VoiceStep]] = {
    "spectral": spectral,
    "adversarial": adversarial,
    "matching": matching,
}
"""Terms by the names of their weights in `VoiceLossSettings`."""


class VoiceLosses:
    """Computes the terms of a step, and trains the discriminators at the same time."""

    def __init__(self, settings: VoiceLossSettings, adversary: AdversarialLoss) -> None:
        self.settings, self.adversary = settings, adversary
        self._distance = SpectralLoss().to(adversary.devices.device)

    def __call__(
        self, audio: Tensor, truth: Tensor, progress: float, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted sum and every term of ``audio`` against ``truth``, both ``[B, T]``.

        ``progress`` is the share of the budget so far; ``rng`` draws the discriminators' segments.
        """
        settings = self.settings
        generator = None
        if progress >= settings.adversarial_from and settings.uses_discriminators:
            generator = self._adversarial(audio, truth, rng)
        step = VoiceStep(self._distance, audio, truth, generator)
        return weighted_sum(VOICE_TERMS, settings, step)

    def _adversarial(self, audio: Tensor, truth: Tensor, rng: np.random.Generator) -> GeneratorLoss:
        settings = self.settings
        length = settings.adversarial_frames * HOP
        start = HOP * int(rng.integers(0, (audio.shape[1] - length) // HOP + 1))
        seen = (slice(0, settings.adversarial_crops), slice(start, start + length))
        self.adversary.accumulate(truth[seen], audio[seen])
        self.adversary.discriminator_step()
        return self.adversary.generator_loss(audio[seen], truth[seen])


def clean_gradients(parameters: list[torch.nn.Parameter]) -> None:
    """Set gradients that overflowed to zero, so that one crop cannot end a run."""
    for parameter in parameters:
        if parameter.grad is not None:
            torch.nan_to_num_(parameter.grad, 0.0, 0.0, 0.0)

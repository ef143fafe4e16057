"""Adversarial training: discriminators, their optimiser, and the generator's losses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from edge_vc.training.devices import Devices, OneDevice
from edge_vc.training.discriminators import (
    Discriminators,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
)


class GeneratorLoss(NamedTuple):
    """The losses that a generator minimises, both scalars."""

    adv_loss: Tensor
    """Least-squares adversarial loss."""
    fm_loss: Tensor
    """Feature-matching loss."""


class AdversarialLoss:
    """Discriminators trained alternately with a generator."""

    def __init__(
        self,
        rate: float,
        discriminators: Discriminators | None = None,
        devices: Devices | None = None,
    ) -> None:
        """Set up AdamW with the learning rate ``rate`` for ``discriminators``."""
        self.devices = devices or OneDevice()
        self.discriminators = (discriminators or Discriminators()).to(self.devices.device)
        self.optimiser = torch.optim.AdamW(
            self.discriminators.parameters(), rate, betas=(0.8, 0.98), weight_decay=0.01
        )

    def train_step(
        self, fake: Tensor, real: Tensor, condition: Tensor | None = None
    ) -> tuple[GeneratorLoss, Tensor]:
        """Train the discriminators on ``fake`` and ``real`` ``[B, T]``; return both sides' losses.

        The generator's losses come first, then the discriminators' loss, detached. Only the first
        half of the batch is used: discriminators take most of a step's time on a CPU. ``condition``
        ``[B, E]`` is the requested voice and style, for conditional discriminators.
        """
        half = max(1, len(fake) // 2)
        fake, real = fake[:half], real[:half]
        told = None if condition is None else condition[:half]
        disc_loss = self.accumulate(real, fake, told)
        self.discriminator_step()
        return self.generator_loss(fake, real, told), disc_loss

    def accumulate(self, real: Tensor, fake: Tensor, condition: Tensor | None = None) -> Tensor:
        """Add the discriminators' gradient on ``real`` and ``fake`` ``[B, T]``.

        Return their loss, detached.
        """
        with self.devices.autocast():
            real_maps = self.discriminators(real, condition)
            loss = discriminator_loss(real_maps, self.discriminators(fake.detach(), condition))
        loss.backward()
        return loss.detach()

    def discriminator_step(self) -> None:
        """Update the discriminators with the accumulated gradient, and clear it."""
        self.devices.average(self.discriminators.parameters())
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)

    def generator_loss(
        self, fake: Tensor, real: Tensor, condition: Tensor | None = None
    ) -> GeneratorLoss:
        """Return the generator's losses for its output ``fake`` against ``real``, both ``[B, T]``.

        The discriminators receive no gradient.
        """
        with self._frozen(), self.devices.autocast():
            with torch.no_grad():
                real_maps = self.discriminators(real, condition)
            fake_maps = self.discriminators(fake, condition)
            adv, matching = generator_loss(fake_maps), feature_matching_loss(real_maps, fake_maps)
        return GeneratorLoss(adv.float(), matching.float())

    @contextmanager
    def _frozen(self) -> Iterator[None]:
        self.discriminators.requires_grad_(False)
        try:
            yield
        finally:
            self.discriminators.requires_grad_(True)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of discriminators and optimiser."""
        return {
            "discriminators": self.discriminators.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.discriminators.load_state_dict(state["discriminators"])
        self.optimiser.load_state_dict(state["optimiser"])

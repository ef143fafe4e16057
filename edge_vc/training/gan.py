"""The opponent in adversarial training: judges, their optimiser, and what they cost the student."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from edge_vc.training.devices import Devices, OneDevice
from edge_vc.training.discriminators import (
    Discriminators,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
)


class Adversary:
    """Judges that learn to tell speech from imitations, one step at a time."""

    def __init__(
        self, rate: float, judges: Discriminators | None = None, devices: Devices | None = None
    ) -> None:
        self.devices = devices or OneDevice()
        self.judges = (judges or Discriminators()).to(self.devices.device)
        self.optimiser = torch.optim.AdamW(
            self.judges.parameters(), rate, betas=(0.8, 0.98), weight_decay=0.01
        )

    def challenge(
        self, audio: Tensor, truth: Tensor, figures: dict[str, float]
    ) -> tuple[Tensor, Tensor]:
        """Train the judges on ``audio`` and ``truth`` ``[B, T]``; return what is to be minimised.

        That is how little the judges were fooled, and how far their feature maps are apart.
        Only half the batch is shown: judging is most of a step's time on a CPU.
        """
        half = max(1, len(audio) // 2)
        audio, truth = audio[:half], truth[:half]
        judged = self.learn(truth, audio)
        self.step()
        fooled, matched = self.persuade(audio, truth)
        figures |= {"judge": float(judged), "fooled": float(fooled.detach())}
        return fooled, matched

    def learn(self, real: Tensor, fake: Tensor, share: float = 1.0) -> Tensor:
        """Add ``share`` of the judges' gradient on ``real`` and ``fake`` ``[B, T]``.

        Return their loss, without a graph.
        """
        with self.devices.autocast():
            judged = discriminator_loss(self.judges(real), self.judges(fake.detach()))
        (share * judged).backward()
        return judged.detach()

    def step(self) -> None:
        """Let the judges take the step that `learn` has prepared."""
        self.devices.average(self.judges.parameters())
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)

    def persuade(self, fake: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """Return how little ``fake`` ``[B, T]`` fools the judges, and how far it is from ``truth``.

        ``truth`` ``[P, T]`` are recordings of the first ``P`` rows; feature maps are matched
        there alone. The judges themselves get no gradient.
        """
        with self._fixed(), self.devices.autocast():
            with torch.no_grad():
                real = self.judges(truth)
            maps = self.judges(fake)
            paired = [[part[: len(truth)] for part in judge] for judge in maps]
            fooled, matched = generator_loss(maps), feature_matching_loss(real, paired)
        return fooled.float(), matched.float()

    @contextmanager
    def _fixed(self) -> Iterator[None]:
        self.judges.requires_grad_(False)
        try:
            yield
        finally:
            self.judges.requires_grad_(True)

    def state_dict(self) -> dict[str, Any]:
        """Return judges and optimiser."""
        return {"judges": self.judges.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.judges.load_state_dict(state["judges"])
        self.optimiser.load_state_dict(state["optimiser"])

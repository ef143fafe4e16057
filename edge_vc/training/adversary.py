"""The opponent in adversarial training: judges, their optimiser, and what they cost the student."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from edge_vc.training.discriminators import (
    Discriminators,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
)


class Adversary:
    """Judges that learn to tell speech from imitations, one step at a time."""

    def __init__(self, rate: float, *, bfloat16: bool = False) -> None:
        self.judges = Discriminators()
        self.optimiser = torch.optim.AdamW(
            self.judges.parameters(), rate, betas=(0.8, 0.98), weight_decay=0.01
        )
        self.bfloat16 = bfloat16

    def challenge(
        self, audio: Tensor, truth: Tensor, figures: dict[str, float]
    ) -> tuple[Tensor, Tensor]:
        """Train the judges on ``audio`` and ``truth`` ``[B, T]``; return what is to be minimised.

        That is how little the judges were fooled, and how far their feature maps are apart.
        Only half the batch is shown: judging is most of a step's time on a CPU.
        """
        half = max(1, len(audio) // 2)
        audio, truth = audio[:half], truth[:half]
        with self._precision():
            judged = discriminator_loss(self.judges(truth), self.judges(audio.detach()))
        self.optimiser.zero_grad(set_to_none=True)
        judged.backward()
        self.optimiser.step()
        with self._precision():
            with torch.no_grad():
                real = self.judges(truth)
            fake = self.judges(audio)
            fooled, matched = generator_loss(fake), feature_matching_loss(real, fake)
        figures |= {"judge": float(judged.detach()), "fooled": float(fooled.detach())}
        return fooled.float(), matched.float()

    def _precision(self) -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16)

    def state_dict(self) -> dict[str, Any]:
        """Return judges and optimiser."""
        return {"judges": self.judges.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.judges.load_state_dict(state["judges"])
        self.optimiser.load_state_dict(state["optimiser"])

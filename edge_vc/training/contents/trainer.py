"""The training loop of a distilled content encoder: steps, log, checkpoints; resumable."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from edge_vc.models.content.distilled import DistilledNetwork
from edge_vc.training.checkpoint import Checkpoint
from edge_vc.training.contents.settings import ContentsSettings
from edge_vc.training.contents.speech import ContentsBatch, ContentsSpeech, EncodedRecording
from edge_vc.training.schedule import MovingAverage, learning_rate
from edge_vc.training.session_loop import SessionLoop

LARGEST_NORM = 1.0


class ContentsTraining(SessionLoop):
    """One run, with its log and checkpoint in ``folder``.

    Batches are drawn by seed and step: a resumed run takes the same steps as one that was never
    stopped.
    """

    noun = "contents"

    def __init__(
        self,
        settings: ContentsSettings,
        speech: ContentsSpeech,
        held_out: Sequence[EncodedRecording],
        folder: Path,
    ) -> None:
        super().__init__()
        self.settings, self.speech, self.held_out, self.folder = settings, speech, held_out, folder
        torch.manual_seed(settings.seed)
        self.network = DistilledNetwork(settings.network)
        mean, spread = speech.statistics()
        self.network.mean.copy_(mean)
        self.network.spread.copy_(spread)
        self.average = MovingAverage(self.network, settings.average_decay)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), settings.peak_rate, betas=(0.9, 0.98), weight_decay=0.02
        )
        self.checkpoint = Checkpoint(
            folder,
            {"network": self.network, "average": self.average, "optimiser": self.optimiser},
        )

    def train_step(self, progress: float) -> dict[str, float]:
        """Take the next step; return its figures."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(progress, self.settings.peak_rate)
        loss = distance(self.network, self.speech.draw(self.step))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_NORM)
        self.optimiser.step()
        self.average.update(self.network)
        return {"loss": float(loss.detach())}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the mean cosine of output and target for held-out speakers, clean and augmented.

        It is taken frame by frame, after the mean of all targets is subtracted; empty without such
        speakers.
        """
        network = self.average.network
        found: dict[str, list[Tensor]] = {"cosine": [], "cosine_disturbed": []}
        for recording in self.held_out:
            target = torch.from_numpy(recording.target).float() - network.mean
            for name, heard in zip(found, (recording.clean, recording.disturbed), strict=True):
                encoded = network(torch.from_numpy(heard).float()[None])[0] - network.mean
                found[name].append(nn.functional.cosine_similarity(encoded, target).mean())
        return {name: float(torch.stack(v).mean()) for name, v in found.items() if v}

    def saved_line(self, scores: dict[str, float]) -> str:
        """Return the cosines of held-out speakers as text."""
        if not scores:
            return ""
        clean, disturbed = scores.values()
        return f"cosine with the target {clean:.3f}, {disturbed:.3f} with reverberation and noise"


def distance(network: DistilledNetwork, batch: ContentsBatch) -> Tensor:
    """Return the distance of the network's output from the targets, a scalar.

    Mean squared error in units of each number's standard deviation, which weights all equally, plus
    one minus the cosine without the mean, by which neighbours are found.
    """
    encoded = network.standardised(batch.heard)
    target = (batch.target - network.mean) / network.spread
    alike = nn.functional.cosine_similarity(
        encoded * network.spread, target * network.spread, dim=-1
    )
    total: Tensor = (encoded - target).square().mean() + (1 - alike).mean()
    return total

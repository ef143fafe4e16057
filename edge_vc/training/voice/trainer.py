"""The training loop of a voice: steps, log, checkpoints, samples; resumable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from edge_vc.models.voice.network import VoiceNetwork
from edge_vc.training.checkpoint import Checkpoint
from edge_vc.training.devices import Devices, OneDevice
from edge_vc.training.discriminators import Discriminators
from edge_vc.training.gan import AdversarialLoss
from edge_vc.training.schedule import MovingAverage, learning_rate
from edge_vc.training.session_loop import SessionLoop
from edge_vc.training.tensorboard import NoBoard, TrainingBoard
from edge_vc.training.voice.losses import VoiceLosses, clean_gradients
from edge_vc.training.voice.settings import VoiceSettings
from edge_vc.training.voice.speech import VoiceBatch, VoiceSpeech
from edge_vc.training.voice.validation import VoiceValidation

LARGEST_NORM = 5.0
"""Gradients are scaled down to this norm."""


class VoiceTraining(SessionLoop):
    """One run, with its log, checkpoint and samples in ``folder``.

    Batches, noise and crops are drawn by seed and step: a resumed run takes the same steps as one
    that was never stopped, bit for bit if the budget is in steps and the thread count is the same.
    """

    noun = "voice"

    def __init__(
        self,
        settings: VoiceSettings,
        speech: VoiceSpeech,
        folder: Path,
        devices: Devices | None = None,
        board: TrainingBoard | None = None,
    ) -> None:
        super().__init__()
        self.settings, self.speech, self.folder = settings, speech, folder
        self.board = board or NoBoard()
        self.validation = VoiceValidation(speech)
        self.devices = devices = devices or OneDevice()
        torch.manual_seed(settings.seed)
        self.network = VoiceNetwork(settings.network).to(devices.device)
        self.average = MovingAverage(self.network, settings.average_decay)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), settings.peak_rate, betas=(0.8, 0.98), weight_decay=0.01
        )
        sizes = settings.discriminators
        networks = Discriminators(
            sizes.windows, sizes.channels, sizes.periods, sizes.period_channels
        )
        rate = settings.peak_rate * settings.losses.discriminator_rate
        self.adversary = AdversarialLoss(rate, networks, devices)
        self.losses = VoiceLosses(settings.losses, self.adversary)
        self.checkpoint = Checkpoint(
            folder,
            {
                "network": self.network,
                "average": self.average,
                "optimiser": self.optimiser,
                "adversary": self.adversary,
            },
        )

    def train_step(self, progress: float) -> dict[str, float]:
        """Take the next step; return its figures."""
        rate = learning_rate(progress, self.settings.peak_rate)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        for group in self.adversary.optimiser.param_groups:
            group["lr"] = rate * self.settings.losses.discriminator_rate
        batch = self.speech.draw(self.step)
        audio, truth = self._speak(batch)
        rng = np.random.default_rng([self.settings.seed, self.step, 1])
        total, terms = self.losses(audio, truth, progress, rng)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        parameters = list(self.network.parameters())
        clean_gradients(parameters)
        norm = nn.utils.clip_grad_norm_(parameters, LARGEST_NORM)
        self.optimiser.step()
        self.average.update(self.network)
        figures = {name: float(value) for name, value in terms.items()}
        return figures | {"loss": float(total.detach()), "norm": float(norm)}

    def _speak(self, batch: VoiceBatch) -> tuple[torch.Tensor, torch.Tensor]:
        device = self.devices.device
        with self.devices.autocast():
            audio = self.network(
                batch.contents.to(device),
                batch.f0.to(device),
                batch.mean_log_f0.to(device),
                batch.loudness.to(device),
                batch.noise.to(device),
            )
        return audio, batch.truth.to(device)

    def validate(self) -> dict[str, float]:
        """Return the spectral distances of the averaged weights from held-out recordings."""
        return self.validation.losses(self.average.network)

    def saved_line(self, scores: dict[str, float]) -> str:
        """Save a sample; return its distance and path as text."""
        network, folder = self.average.network, self.folder / "samples"
        sample = self.validation.sample(network, folder, self.step)
        if sample is None:
            return ""
        self.board.sample(self.step, sample)
        distance = scores["validation"]
        return f"spectral distance on held-out recordings {distance:.2f}, listen: {sample}"

    def log(self, figures: dict[str, float]) -> None:
        """Append the figures of a step to the log and show them on the board."""
        super().log(figures)
        self.board.figures(self.step, figures)

"""The training loop of a voice: steps, log, checkpoints, samples; resumable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress as Bar
from torch import nn

from edge_vc.command_line.steps import stderr_console
from edge_vc.models.voice.network import VoiceNetwork
from edge_vc.training.checkpoint import Checkpoint
from edge_vc.training.devices import Devices, OneDevice
from edge_vc.training.discriminators import Discriminators
from edge_vc.training.gan import AdversarialLoss
from edge_vc.training.schedule import MovingAverage, Stopwatch, learning_rate
from edge_vc.training.teacher.networks import LARGEST_NORM
from edge_vc.training.teacher.trainer import TrainingSession
from edge_vc.training.tensorboard import NoBoard, TrainingBoard
from edge_vc.training.voice.losses import VoiceLosses, clean_gradients
from edge_vc.training.voice.settings import VoiceSettings
from edge_vc.training.voice.speech import VoiceBatch, VoiceSpeech
from edge_vc.training.voice.validation import VoiceValidation
from edge_vc_runtime.message import printable

LOG_STEPS = 50


class VoiceTraining:
    """One run, with its log, checkpoint and samples in ``folder``.

    Batches, noise and crops are drawn by seed and step: a resumed run takes the same steps as one
    that was never stopped, bit for bit where the budget is in steps and the threads are as many.
    """

    def __init__(
        self,
        settings: VoiceSettings,
        speech: VoiceSpeech,
        folder: Path,
        devices: Devices | None = None,
        board: TrainingBoard | None = None,
    ) -> None:
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
        self.step = 0
        self.watch = Stopwatch()
        self.scores: dict[str, float] = {}
        """Of the last validation."""

    def run(self, session: TrainingSession, saved: Callable[[], None] = lambda: None) -> bool:
        """Train until the run's or the session's end; return whether the run is finished.

        ``saved`` is called after every checkpoint.
        """
        self.step, seconds = self.checkpoint.restore()
        self.watch = Stopwatch(seconds)
        kept = began = seconds
        console = stderr_console()
        with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("voice", total=1.0)
            while (progress := session.budget.progress(self.step, seconds)) < 1:
                figures = self.train_step(progress)
                self.step += 1
                seconds = self.watch.seconds
                text = f"voice, step {self.step}, loss {figures['loss']:.3f}"
                bar.update(task, completed=min(progress, 1.0), description=text)
                if self.step % LOG_STEPS == 0:
                    self._log(figures)
                spent = session.is_spent(seconds - began)
                done = session.budget.progress(self.step, seconds) >= 1
                if spent or done or seconds - kept > 60 * session.save_minutes:
                    kept = seconds
                    line = printable(self._save(figures))
                    bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
                    saved()
                if spent:
                    return done
        self.scores = self.scores or self.validation.losses(self.average.network)
        return True

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

    def _save(self, figures: dict[str, float]) -> str:
        """Keep everything, speak a sample; return the line to show."""
        self.checkpoint.save(self.step, self.watch.seconds)
        network = self.average.network
        self.scores = self.validation.losses(network)
        sample = self.validation.sample(network, self.folder / "samples", self.step)
        self._log(figures | self.scores)
        line = f"step {self.step}, {self.watch.seconds / 60:.1f} min, saved"
        if sample is None:
            return line
        self.board.sample(self.step, sample)
        distance = self.scores["validation"]
        return f"{line}: distance from held-out recordings {distance:.2f}, listen: {sample}"

    def _log(self, figures: dict[str, float]) -> None:
        self.checkpoint.log(self.step, self.watch.seconds, figures)
        self.board.figures(self.step, figures)

"""The teacher's training loop: steps, log, checkpoints, samples; it goes on where it was cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress
from torch import nn

from edge_vc.data.pair_set import PairSet
from edge_vc.models.teacher.file import begin_with
from edge_vc.models.teacher.network import TeacherNetwork
from edge_vc.training.checkpoint import Checkpoint, Stateful
from edge_vc.training.devices import Devices, OneDevice
from edge_vc.training.discriminators import Discriminators
from edge_vc.training.gan import AdversarialLoss
from edge_vc.training.schedule import Budget, MovingAverage, Stopwatch, learning_rate
from edge_vc.training.teacher.batches import TeacherBatch, TeacherBatches
from edge_vc.training.teacher.crop_plan import KINDS
from edge_vc.training.teacher.forward_pass import Crop, Figures, LossModules
from edge_vc.training.teacher.losses import TeacherLosses
from edge_vc.training.teacher.noise_bank import NoiseBank
from edge_vc.training.teacher.phone_classifier import PhoneClassifier
from edge_vc.training.teacher.settings import TeacherSettings
from edge_vc.training.teacher.speech_bank import SpeechBank
from edge_vc.training.teacher.units import renew_units
from edge_vc.training.teacher.validation import HeldOut

LOG_STEPS = 100


@dataclass(frozen=True)
class Sitting:
    """One stretch of a run on one machine."""

    budget: Budget
    """Of the whole run; the learning rate follows it."""
    max_minutes: float | None = None
    """Stop after so long, checkpoint saved; the next sitting goes on."""
    save_minutes: float = 3.0
    """Between checkpoints, each with a validation and a sample."""


class TeacherTraining:
    """One run: networks, optimisers, log and checkpoint in ``folder``."""

    def __init__(
        self,
        settings: TeacherSettings,
        pairs: Sequence[PairSet],
        voices: Sequence[str],
        noises: NoiseBank,
        folder: Path,
        devices: Devices | None = None,
        start: TeacherNetwork | None = None,
    ) -> None:
        """Set up; pairs that are ``held`` are never trained on. Voice 0 is the one that ships.

        A new run begins with the weights of ``start``, if given.
        """
        self.devices = devices = devices or OneDevice()
        settings.check_split(devices.world)
        self.folder = folder
        torch.manual_seed(settings.seed)
        bank = SpeechBank([p for p in pairs if not p.held], voices, devices.device)
        pitch = float(bank.mean_log_f0[0])
        network = replace(settings.network, speakers=len(voices), target_log_f0=pitch)
        self.settings = settings = replace(settings, network=network)
        self.batches = TeacherBatches(bank, noises, settings.inputs, settings.frames, pitch)
        sizes = replace(network, units=settings.retrieve_from)
        self.network = TeacherNetwork(sizes).to(devices.device)
        if start is not None:
            begin_with(self.network, start)
        self.average = MovingAverage(self.network, settings.average_decay)
        self.classifier = _classifier(settings, pairs, devices)
        self._trained = nn.ModuleList(
            part for part in (self.network, self.classifier) if part is not None
        )
        self.optimiser = torch.optim.AdamW(
            self._trained.parameters(), settings.peak_rate, betas=(0.8, 0.98), weight_decay=0.01
        )
        self.adversary = _adversary(settings, devices)
        modules = LossModules.build(settings.losses, self.adversary, devices, self.classifier)
        self.losses = TeacherLosses(modules)
        self._own = [p.target for p in pairs if p.speaker == voices[0] and not p.held]
        self.held = HeldOut([p for p in pairs if p.held], voices[0], devices.device)
        self.checkpoint = Checkpoint(folder, self._parts())
        self.step = 0
        self.watch = Stopwatch()
        if settings.compile:
            self.network.encoder.compile()
            self.network.decoder.compile()

    def run(self, sitting: Sitting) -> bool:
        """Train until the run's or the sitting's end; return whether the run is finished."""
        self.step, seconds = self.checkpoint.restore()
        self.watch = Stopwatch(seconds)
        saved = began = seconds
        with Progress(disable=self.devices.rank > 0) as bar:
            task = bar.add_task("teacher", total=1.0)
            while (progress := self._progress(sitting.budget)) < 1:
                figures = self._train_step(progress)
                self.step += 1
                seconds = self.devices.agree(self.watch.seconds)
                if self.step % LOG_STEPS == 0:
                    loss = self._log(figures)
                    text = f"teacher, step {self.step}, loss {loss:.3f}"
                    bar.update(task, completed=min(progress, 1.0), description=text)
                spent = sitting.max_minutes is not None and (
                    seconds - began > 60 * sitting.max_minutes
                )
                done = self._progress(sitting.budget) >= 1
                if spent or done or seconds - saved > 60 * sitting.save_minutes:
                    saved = seconds
                    self._save(figures)
                if spent:
                    return done
        return True

    def _parts(self) -> dict[str, Stateful]:
        """Return what a run must go on with."""
        parts: dict[str, Stateful] = {
            "network": self.network,
            "average": self.average,
            "optimiser": self.optimiser,
            "adversary": self.adversary,
        }
        return parts if self.classifier is None else parts | {"classifier": self.classifier}

    def _progress(self, budget: Budget) -> float:
        return self.devices.agree(budget.progress(self.step, self.watch.seconds))

    def _train_step(self, progress: float) -> Figures:
        losses, parts = self.settings.losses, self.settings.accumulate
        rate = learning_rate(progress, self.settings.peak_rate)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        for group in self.adversary.optimiser.param_groups:
            group["lr"] = rate * losses.discriminator_rate
        adversarial = progress >= losses.adversarial_from
        if self.settings.retrieve_from and self.step % self.settings.renew_steps == 0:
            renew_units(self.network, self._own, [self.settings.seed, self.step])
        self.optimiser.zero_grad(set_to_none=True)
        figures: Figures = {}
        for part in range(parts):
            batch, first = self._draw(part, adversarial)
            crop = Crop(adversarial, first, 1 / parts)
            total, terms = self.losses(self.network, batch, crop)
            (total / parts).backward()
            for name, value in (terms | {"loss": total.detach()}).items():
                figures[name] = figures.get(name, torch.zeros_like(value)) + value / parts
        figures["norm"] = self._move()
        if adversarial and losses.uses_discriminators:
            self.adversary.discriminator_step()
        return figures

    def _draw(self, part: int, adversarial: bool) -> tuple[TeacherBatch, int]:
        """Return this process's share of a part of the step, and the first frame of the crops
        that discriminators see.

        Unpaired crops have no loss before the discriminators take part.
        """
        place = part * self.devices.world + self.devices.rank
        stride = self.devices.world * self.settings.accumulate
        rows = [
            (kind, number)
            for kind in KINDS
            if adversarial or kind != "unpaired"
            for number in range(place, getattr(self.settings, kind), stride)
        ]
        seed = [self.settings.seed, self.step]
        second = self.settings.losses.invariance > 0
        spare = max(0, self.settings.frames - self.settings.losses.adversarial_frames)
        first = int(np.random.default_rng([*seed, 99]).integers(0, spare + 1))
        return self.batches.draw(rows, seed, second=second), first

    def _move(self) -> torch.Tensor:
        """Take a step with the mean gradient of all processes; return the gradient's norm."""
        self.devices.average(self._trained.parameters())
        for parameter in self._trained.parameters():
            if parameter.grad is not None:
                # One overflowing crop must not end a run.
                torch.nan_to_num_(parameter.grad, 0.0, 0.0, 0.0)
        norm = nn.utils.clip_grad_norm_(self._trained.parameters(), 5.0)
        self.optimiser.step()
        self.average.update(self.network)
        return norm.detach()

    def _log(self, figures: Figures, more: dict[str, float] | None = None) -> float:
        """Append a line, on the first process; return the loss."""
        means = {name: self.devices.mean(float(value)) for name, value in figures.items()}
        if self.devices.rank == 0:
            self.checkpoint.log(self.step, self.watch.seconds, means | (more or {}))
        return means["loss"]

    def _save(self, figures: Figures) -> None:
        more: dict[str, float] = {}
        if self.devices.rank == 0:
            self.checkpoint.save(self.step, self.watch.seconds)
            more = self.held.validate(self.average.network)
            self.held.sample(self.average.network, self.folder / "samples", self.step)
        self._log(figures, more)


def _classifier(
    settings: TeacherSettings, pairs: Sequence[PairSet], devices: Devices
) -> PhoneClassifier | None:
    """Return the phone classifier; `ValueError` where no recording has phones to learn from."""
    if not settings.losses.phones:
        return None
    if not any(pair.phones is not None for pair in pairs):
        raise ValueError("losses.phones needs phones: make the pack with --phones")
    return PhoneClassifier(settings.network.bottleneck).to(devices.device)


def _adversary(settings: TeacherSettings, devices: Devices) -> AdversarialLoss:
    sizes = settings.discriminators
    networks = Discriminators(sizes.windows, sizes.channels, sizes.periods, sizes.period_channels)
    return AdversarialLoss(
        settings.peak_rate * settings.losses.discriminator_rate, networks, devices
    )

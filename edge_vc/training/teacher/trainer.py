"""The teacher's training loop: steps, log, checkpoints, samples; resumable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress

from edge_vc.augmentation.noise_bank import NoiseBank
from edge_vc.command_line.steps import stderr_console
from edge_vc.data.pair_set import PairSet
from edge_vc.models.teacher.network import TeacherNetwork
from edge_vc.training.checkpoint import Checkpoint
from edge_vc.training.devices import Devices, OneDevice
from edge_vc.training.schedule import Budget, Stopwatch, TrainingSession, learning_rate
from edge_vc.training.teacher.batches import TeacherBatch, TeacherBatches
from edge_vc.training.teacher.crop_plan import KINDS
from edge_vc.training.teacher.forward_pass import Figures, LossModules, StepPart
from edge_vc.training.teacher.losses import TeacherLosses
from edge_vc.training.teacher.networks import TrainedNetworks
from edge_vc.training.teacher.settings import TeacherSettings
from edge_vc.training.teacher.speech_bank import SpeechBank
from edge_vc.training.teacher.units import renew_units
from edge_vc.training.teacher.validation import ValidationSet

LOG_STEPS = 100


class TeacherTraining:
    """One run, with its log, checkpoint and samples in ``folder``."""

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
        """Set up a run that trains on ``pairs``, but for those set aside for validation.

        The first of ``voices`` is the target. A new run starts from the weights of ``start``, if
        given. Raises `ValueError` for settings that do not fit the data or the devices.
        """
        self.devices = devices = devices or OneDevice()
        settings.check_split(devices.world)
        self.folder = folder
        if settings.losses.phones and not any(pair.phones is not None for pair in pairs):
            raise ValueError("losses.phones needs phones: make the pack with --phones")
        torch.manual_seed(settings.seed)
        train = [pair for pair in pairs if not pair.held_out]
        bank = SpeechBank(train, voices, devices.device)
        pitch = float(bank.mean_log_f0[0])
        sizes = replace(settings.network, speakers=len(voices), target_log_f0=pitch)
        self.settings = settings = replace(settings, network=sizes)
        self.batches = TeacherBatches(bank, noises, settings.inputs, settings.frames, pitch)
        self.networks = TrainedNetworks(settings, devices, start)
        adversary, classifier = self.networks.adversary, self.networks.classifier
        modules = LossModules.build(settings.losses, adversary, devices, classifier)
        self.losses = TeacherLosses(modules)
        self._own = [pair.target for pair in train if pair.speaker == voices[0]]
        self.validation = ValidationSet([p for p in pairs if p.held_out], voices[0], devices.device)
        self.checkpoint = Checkpoint(folder, self.networks.parts())
        self.step = 0
        self.watch = Stopwatch()

    def run(self, session: TrainingSession) -> bool:
        """Train until the run's or the session's end; return whether the run is finished."""
        self.step, seconds = self.checkpoint.restore()
        self.watch = Stopwatch(seconds)
        saved = began = seconds
        console = stderr_console()
        shown = console.is_terminal and self.devices.rank == 0
        with Progress(console=console, transient=True, disable=not shown) as bar:
            task = bar.add_task("teacher", total=1.0)
            while (progress := self._progress(session.budget)) < 1:
                figures = self._train_step(progress)
                self.step += 1
                seconds = self.devices.agree(self.watch.seconds)
                if self.step % LOG_STEPS == 0:
                    loss = self._log(figures)
                    text = f"teacher, step {self.step}, loss {loss:.3f}"
                    bar.update(task, completed=min(progress, 1.0), description=text)
                spent = session.is_spent(seconds - began)
                done = self._progress(session.budget) >= 1
                if spent or done or seconds - saved > 60 * session.save_minutes:
                    saved = seconds
                    self._save(figures)
                if spent:
                    return done
        return True

    def _progress(self, budget: Budget) -> float:
        return self.devices.agree(budget.progress(self.step, self.watch.seconds))

    def _train_step(self, progress: float) -> Figures:
        settings, networks = self.settings, self.networks
        networks.set_rate(learning_rate(progress, settings.peak_rate))
        adversarial = progress >= settings.losses.adversarial_from
        if settings.retrieve_from and self.step % settings.renew_steps == 0:
            renew_units(networks.network, self._own, [settings.seed, self.step])
        networks.optimiser.zero_grad(set_to_none=True)
        figures: Figures = {}
        for number in range(settings.accumulate):
            part = StepPart(adversarial, self._first_frame(), 1 / settings.accumulate)
            total, terms = self.losses(networks.network, self._draw(number, adversarial), part)
            (total / settings.accumulate).backward()
            for name, value in (terms | {"loss": total.detach()}).items():
                before = figures.get(name, torch.zeros_like(value))
                figures[name] = before + value / settings.accumulate
        figures["norm"] = networks.update()
        if adversarial and settings.losses.uses_discriminators:
            networks.adversary.discriminator_step()
        return figures

    def _draw(self, part: int, adversarial: bool) -> TeacherBatch:
        """Return this process's share of a part of the step.

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
        second = self.settings.losses.invariance > 0
        return self.batches.draw(rows, [self.settings.seed, self.step], second=second)

    def _first_frame(self) -> int:
        """Draw the first frame of the crops that the discriminators see; one for a whole step."""
        spare = max(0, self.settings.frames - self.settings.losses.adversarial_frames)
        rng = np.random.default_rng([self.settings.seed, self.step, 99])
        return int(rng.integers(0, spare + 1))

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
            network = self.networks.average.network
            more = self.validation.losses(network)
            self.validation.sample(network, self.folder / "samples", self.step)
        self._log(figures, more)

"""The training loop of a student's distillation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from edge_vc.augmentation.feature_augment import FeatureAugment
from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.inputs import trunk_inputs
from edge_vc.models.student.student import Prediction, Student
from edge_vc.training.checkpoint import Checkpoint, Stateful
from edge_vc.training.devices import Devices, OneDevice
from edge_vc.training.discriminators import Discriminators
from edge_vc.training.gan import AdversarialLoss
from edge_vc.training.losses import SpectralLoss
from edge_vc.training.schedule import Budget, MovingAverage, Stopwatch, learning_rate
from edge_vc.training.student.batches import DistillBatch, DistillBatches
from edge_vc.training.student.conditions import Condition
from edge_vc.training.student.contents import VoicesReader, reader_for
from edge_vc.training.student.forward_pass import DistillPass
from edge_vc.training.student.inputs.input_features import InputAugmentation
from edge_vc.training.student.losses import SOUNDLESS, TERMS
from edge_vc.training.student.recogniser import RecogniserDistance
from edge_vc.training.student.settings import DistillSettings
from edge_vc.training.terms import Term, weighted_sum
from edge_vc.workers.progress import Progress, no_progress
from edge_vc_runtime.bundle.input_spec import InputSpec

WARM_SECONDS = 0.4
"""Warm-up before each segment that fills the convolutions' contexts and counts in no loss."""
BEGINNING_EVERY = 10
"""One batch in this many is from the beginnings of recordings, where contexts are empty."""
LOG_STEPS = 100
SAVE_STEPS = 500

Report = Callable[[float, dict[str, float]], None]
"""Called every tenth step with the progress (0..1) and the latest figures."""


class Distillation:
    """One run; ``folder`` holds its log and the checkpoint from which it resumes."""

    def __init__(
        self,
        student: Student,
        examples: Sequence[LabelledAudio],
        settings: DistillSettings,
        folder: Path,
        devices: Devices | None = None,
        budget: Budget | None = None,
        terms: Mapping[str, Term[DistillPass]] = TERMS,
        conditions: Sequence[Condition] = (),
        augmentations: Sequence[InputAugmentation] = (),
        progress: Progress = no_progress,
    ) -> None:
        """Set up the run; processes that share ``devices`` split every batch evenly.

        ``conditions`` are the conditioning inputs of each example, if the student takes any;
        ``augmentations`` replace the input of some segments; ``progress`` shows their computation.
        ``budget`` replaces the settings' number of steps. Raises `TooShortError` if no example is
        longer than a segment; `ValueError` if no loss term has a weight, the shares of
        augmentations exceed 1, or contents have a weight but the labels have none; and its
        subclass `ContentError` if words have a weight and no recogniser is installed.
        """
        self.settings, self.folder, self.terms = settings, folder, terms
        self.budget = budget or Budget(steps=settings.steps)
        self.devices = devices = devices or OneDevice("cpu", "auto")
        if settings.batch % devices.world:
            raise ValueError(f"batch {settings.batch} does not divide by {devices.world} processes")
        torch.manual_seed(settings.seed)
        frames = round(settings.segment_seconds * student.config.frame_rate)
        warm = round(WARM_SECONDS * student.config.frame_rate)
        augment = FeatureAugment(
            settings.warp,
            settings.colour,
            (settings.expansion_lowest, settings.expansion_highest),
        )
        self.batches = DistillBatches(
            student, examples, frames + warm, augment, conditions, augmentations,
            warm=warm, sources=settings.words > 0, progress=progress,
        )  # fmt: skip
        self.reader: VoicesReader | None = None
        if settings.contents:
            outputs = student.config.outputs
            units, voices = settings.contents_units, _voices(conditions)
            self.reader = reader_for(outputs, examples, units, settings.seed, voices)
            self.reader.to(devices.device)
        self.recogniser = (
            RecogniserDistance(student.config.sample_rate, devices.device)
            if settings.words
            else None
        )
        self.student = student.train().to(devices.device)
        self.average = MovingAverage(student, 0.998)
        self.spectral = SpectralLoss(
            student.config.sample_rate, stft_weight=settings.stft, mel_weight=settings.mel
        )
        self.spectral.to(devices.device)
        reading = [*self.reader.parameters()] if self.reader else []
        self.trained = [*student.parameters(), *reading]
        self.optimiser = torch.optim.AdamW(
            self.trained, settings.learning_rate, betas=(0.8, 0.98), weight_decay=0.01
        )
        told = sum(spec.size for spec in judged_inputs(student.config))
        self.adversarial = AdversarialLoss(
            settings.learning_rate / 4,
            Discriminators(condition=told) if told else None,
            devices=_discriminating(devices),
        )
        parts: dict[str, Stateful] = {
            "student": self.student,
            "average": self.average,
            "optimiser": self.optimiser,
            "adversarial": self.adversarial,
        }
        if self.reader is not None:
            parts["reader"] = self.reader
        self.checkpoint = Checkpoint(folder, parts)
        self.step = 0
        self.watch = Stopwatch()

    def run(self, report: Report | None = None) -> Student:
        """Train until the budget is used; return the averaged student, ready to evaluate."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.step, seconds = self.checkpoint.restore()
        self.watch = Stopwatch(seconds)
        progress = self._progress()
        while progress < 1:
            rng = np.random.default_rng([self.settings.seed, self.step])
            beginnings = self.step % BEGINNING_EVERY == BEGINNING_EVERY - 1
            batch = self.batches.draw(self.settings.batch, rng, beginnings=beginnings)
            here = self.devices
            with _states_on(here.device):
                figures = self._train_step(
                    batch.share(here.rank, here.world, here.device), progress
                )
            self.step += 1
            progress = self._progress()
            if report is not None and self.step % 10 == 0:
                report(min(progress, 1.0), figures)
            if self.step % LOG_STEPS == 0 or progress >= 1:
                self._log(figures)
            if (self.step % SAVE_STEPS == 0 or progress >= 1) and self.devices.rank == 0:
                self.checkpoint.save(self.step, self.watch.seconds)
        return self.average.network.cpu()

    def _progress(self) -> float:
        mine = self.budget.progress(self.step, self.watch.seconds)
        return self.devices.agree(mine)

    def _log(self, figures: dict[str, float]) -> None:
        means = {name: self.devices.mean(value) for name, value in figures.items()}
        if self.devices.rank == 0:
            self.checkpoint.log(self.step, self.watch.seconds, means)

    def _train_step(self, batch: DistillBatch, progress: float) -> dict[str, float]:
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(progress, self.settings.learning_rate)
        sounding = progress >= self.settings.contents_first
        step = self._forward(batch, progress, sounding)
        terms = self.terms if sounding else {n: self.terms[n] for n in SOUNDLESS if n in self.terms}
        total, values = weighted_sum(terms, self.settings, step)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        self.devices.average(self.trained)
        nn.utils.clip_grad_norm_(self.trained, 5.0)
        self.optimiser.step()
        self.average.update(self.student)
        figures = values | step.log | {"loss": total.detach()}
        return {name: float(value) for name, value in figures.items()}

    def _forward(self, batch: DistillBatch, progress: float, sounding: bool) -> DistillPass:
        student = self.student
        condition = student.condition(batch.inputs, batch.features)
        with self.devices.autocast():
            hidden = student.features(batch.augmented, condition)
        prediction = student.read_head(hidden.float(), condition, batch.inputs)
        if student.pitch is not None:
            prediction = replace(prediction, log_f0=student.log_f0(batch.features, condition))
        started = progress >= self.settings.adversarial_from
        return DistillPass(
            batch,
            prediction,
            self._synthesize(prediction, batch) if sounding else batch.audio[:, :0],
            self._without_warm_up(batch.audio, batch),
            batch.warm,
            self.spectral,
            self.adversarial if started else None,
            self.reader,
            self.recogniser,
            self._asked(batch),
        )

    def _asked(self, batch: DistillBatch) -> Tensor | None:
        """Return the segments' voice and style ``[B, E]``, the condition of the discriminators."""
        judged = judged_inputs(self.student.config)
        values = [self.student.input(batch.inputs, spec.name, batch.features) for spec in judged]
        rows = [value[:, :, 0].mean(-1).expand(len(batch.audio), -1) for value in values]
        return torch.cat(rows, dim=1) if rows else None

    def _synthesize(self, prediction: Prediction, batch: DistillBatch) -> Tensor:
        """Synthesise with the teacher's pitch, so that spectra can be compared bin by bin."""
        driven = prediction.voicing is not None
        audio = self.student.synthesize(
            prediction, batch.f0 if driven else None, batch.voiced if driven else None
        )
        return self._without_warm_up(audio[:, 0, 0], batch)

    def _without_warm_up(self, audio: Tensor, batch: DistillBatch) -> Tensor:
        return audio[:, batch.warm * self.student.config.hop :]


def judged_inputs(config: StudentConfig) -> tuple[InputSpec, ...]:
    """Return the inputs whose effect discriminators check: constant ones, not streams."""
    return tuple(spec for spec in trunk_inputs(config.inputs) if spec.kind != "stream")


def _voices(conditions: Sequence[Condition]) -> list[int]:
    """Return the number of each example's voice; empty if there is a single one."""
    if not all("voice" in condition for condition in conditions):
        return []
    return [int(condition["voice"].argmax()) for condition in conditions]


def _states_on(device: torch.device) -> AbstractContextManager[object]:
    """Return a context that creates a student's initial states on ``device``."""
    return nullcontext() if device.type == "cpu" else device


def _discriminating(devices: Devices) -> Devices:
    """Return the discriminators' devices: float32 on one CPU, where bfloat16 gains nothing."""
    alone = devices.world == 1 and devices.device.type == "cpu"
    return OneDevice() if alone else devices

"""Teach a student what the teacher says: the distillation loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from edge_vc.augmentation.feature_augment import Disturbance
from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.student import Prediction, Student
from edge_vc.training.checkpoint import Checkpoint
from edge_vc.training.devices import Devices, OneDevice
from edge_vc.training.gan import AdversarialLoss
from edge_vc.training.losses import SpectralLoss
from edge_vc.training.schedule import Budget, MovingAverage, Stopwatch, learning_rate
from edge_vc.training.student.batches import DistillBatch, DistillBatches
from edge_vc.training.student.pitch import pitch_error

Report = Callable[[float, dict[str, float]], None]
"""Called now and then with the progress (0..1) and the latest figures."""


@dataclass(frozen=True)
class DistillSettings:
    """How a student learns; a weight of 0 switches its term off."""

    budget: Budget
    batch: int = 12
    segment_frames: int = 128
    """Frames of a segment that count; as many as `warm_frames` come before them."""
    warm_frames: int = 40
    """Frames in which the convolutions' contexts fill; they cost nothing in the loss."""
    peak_rate: float = 2e-3
    waveform: float = 0.0
    """L1 between waveforms."""
    stft: float = 1.0
    """Multi-resolution STFT: log magnitudes and spectral convergence."""
    mel: float = 1.5
    """L1 between log-mel spectra."""
    feature: float = 0.5
    """L1 between the log filter bands of teacher and student."""
    pitch: float = 3.0
    """L1 between log F0 where the teacher is voiced."""
    voicing: float = 1.0
    """Cross-entropy of the voicing decision."""
    adversarial: float = 0.0
    """Least-squares adversarial loss, with twice as much feature matching."""
    adversarial_from: float = 0.5
    """Share of the budget after which the adversarial term joins."""
    disturbance: Disturbance = field(default_factory=Disturbance)
    seed: int = 0
    bfloat16: bool = True


class Distillation:
    """One run; ``folder`` holds its log and its checkpoint, from which it resumes."""

    def __init__(
        self,
        student: Student,
        examples: Sequence[LabelledAudio],
        settings: DistillSettings,
        folder: Path,
        devices: Devices | None = None,
    ) -> None:
        """Set up; processes that share ``devices`` share every batch, which divides by them."""
        self.settings, self.folder = settings, folder
        half = "bf16-mixed" if settings.bfloat16 else "32"
        self.devices = devices = devices or OneDevice("cpu", half)
        if settings.batch % devices.world:
            raise ValueError(f"batch {settings.batch} does not divide by {devices.world} processes")
        torch.manual_seed(settings.seed)
        self.batches = DistillBatches(
            student,
            examples,
            settings.segment_frames + settings.warm_frames,
            settings.disturbance,
        )
        self.student = student.train().to(devices.device)
        self.average = MovingAverage(student, 0.998)
        self.loss = SpectralLoss(stft_weight=settings.stft, mel_weight=settings.mel)
        self.loss.to(devices.device)
        self.optimiser = torch.optim.AdamW(
            student.parameters(), settings.peak_rate, betas=(0.8, 0.98), weight_decay=0.01
        )
        self.adversary = AdversarialLoss(settings.peak_rate / 4, devices=_discriminating(devices))
        self.checkpoint = Checkpoint(
            folder,
            {
                "student": self.student,
                "average": self.average,
                "optimiser": self.optimiser,
                "adversary": self.adversary,
            },
        )
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
            batch = self.batches.draw(self.settings.batch, rng)
            here = self.devices
            with _states_on(here.device):
                figures = self._train_step(
                    batch.share(here.rank, here.world, here.device), progress
                )
            self.step += 1
            progress = self._progress()
            if report is not None and self.step % 10 == 0:
                report(min(progress, 1.0), figures)
            if self.step % 100 == 0 or progress >= 1:
                self._log(figures)
            if (self.step % 500 == 0 or progress >= 1) and self.devices.rank == 0:
                self.checkpoint.save(self.step, self.watch.seconds)
        return self.average.network.cpu()

    def _progress(self) -> float:
        mine = self.settings.budget.progress(self.step, self.watch.seconds)
        return self.devices.agree(mine)

    def _log(self, figures: dict[str, float]) -> None:
        means = {name: self.devices.mean(value) for name, value in figures.items()}
        if self.devices.rank == 0:
            self.checkpoint.log(self.step, self.watch.seconds, means)

    def _train_step(self, batch: DistillBatch, progress: float) -> dict[str, float]:
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(progress, self.settings.peak_rate)
        with self.devices.autocast():
            hidden = self.student.trunk(batch.shown)
        prediction = self.student.head.predict(hidden.float())
        if self.student.pitch is not None:
            prediction = replace(prediction, log_f0=self.student.pitch(batch.features))
        audio = self._speak(prediction, batch)
        figures: dict[str, float] = {}
        total = self._terms(prediction, audio, batch, figures)
        if self.settings.adversarial and progress >= self.settings.adversarial_from:
            truth = self._counted(batch.audio)
            generator, disc_loss = self.adversary.train_step(audio, truth)
            adv_loss, fm_loss = generator
            total = total + self.settings.adversarial * (adv_loss + 2 * fm_loss)
            figures |= {"disc_loss": float(disc_loss), "adv_loss": float(adv_loss.detach())}
            figures |= {"fm_loss": float(fm_loss.detach())}
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        self.devices.average(self.student.parameters())
        nn.utils.clip_grad_norm_(self.student.parameters(), 5.0)
        self.optimiser.step()
        self.average.update(self.student)
        return figures | {"loss": float(total.detach())}

    def _speak(self, prediction: Prediction, batch: DistillBatch) -> Tensor:
        """Synthesise with the teacher's pitch, so that spectra can be compared bin by bin."""
        driven = prediction.voicing is not None
        audio = self.student.synthesize(
            prediction, batch.f0 if driven else None, batch.voiced if driven else None
        )
        return self._counted(audio[:, 0, 0])

    def _counted(self, audio: Tensor) -> Tensor:
        return audio[:, self.settings.warm_frames * self.student.config.hop :]

    def _terms(
        self,
        prediction: Prediction,
        audio: Tensor,
        batch: DistillBatch,
        figures: dict[str, float],
    ) -> Tensor:
        weights, warm = self.settings, self.settings.warm_frames
        truth = self._counted(batch.audio)
        spectral: Tensor = self.loss(audio, truth)
        total: Tensor = spectral + weights.waveform * (audio - truth).abs().mean()
        figures["spectral"] = float(spectral.detach())
        if prediction.log_f0 is not None and prediction.voicing is not None:
            pitch = pitch_error(prediction.log_f0, batch, warm)
            voicing = nn.functional.binary_cross_entropy_with_logits(
                prediction.voicing[..., warm:], batch.voiced[..., warm:]
            )
            total = total + weights.pitch * pitch + weights.voicing * voicing
            figures |= {"pitch": float(pitch.detach()), "voicing": float(voicing.detach())}
        if weights.feature and batch.bands is not None and prediction.log_f0 is not None:
            feature = self._band_distance(prediction.bands, batch.bands, batch.voiced)
            total = total + weights.feature * feature
            figures["feature"] = float(feature.detach())
        return total

    def _band_distance(self, mine: Tensor, bands: Tensor, voiced: Tensor) -> Tensor:
        """L1 between log-magnitude filters, the harmonic ones where there are harmonics."""
        apart = (mine[:, :, :2] - bands)[..., self.settings.warm_frames :].abs()
        counts = voiced[..., self.settings.warm_frames :]
        return (apart[:, :, :1] * counts).mean() + apart[:, :, 1:].mean()


def _states_on(device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which a student's initial states lie on ``device``."""
    return nullcontext() if device.type == "cpu" else device


def _discriminating(devices: Devices) -> Devices:
    """Return where discriminators compute: in float32 on one CPU, where bfloat16 gains nothing."""
    alone = devices.world == 1 and devices.device.type == "cpu"
    return OneDevice() if alone else devices

"""One forward pass of the teacher's network in training, as loss terms see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from edge_vc.audio.mel import LogMel
from edge_vc.data.pair_set import HOP
from edge_vc.models.teacher.network import TeacherNetwork, TeacherOutput
from edge_vc.training.devices import Devices
from edge_vc.training.gan import AdversarialLoss
from edge_vc.training.losses import SpectralLoss
from edge_vc.training.teacher.batches import TeacherBatch
from edge_vc.training.teacher.input_augment import loud_mean
from edge_vc.training.teacher.loss_settings import LossSettings
from edge_vc.training.teacher.phone_classifier import PhoneClassifier

Figures = dict[str, Tensor]
"""Scalars by name, for the log."""


@dataclass(frozen=True)
class LossModules:
    """What loss terms compute with, on the device that trains."""

    settings: LossSettings
    devices: Devices
    adversary: AdversarialLoss
    classifier: PhoneClassifier | None
    """None where the phone term is off."""
    spectral: SpectralLoss
    log_mel: LogMel

    @classmethod
    def build(
        cls,
        settings: LossSettings,
        adversary: AdversarialLoss,
        devices: Devices,
        classifier: PhoneClassifier | None = None,
    ) -> LossModules:
        """Make the modules without weights of their own, and keep the others."""
        spectral, log_mel = SpectralLoss().to(devices.device), LogMel().to(devices.device)
        return cls(settings, devices, adversary, classifier, spectral, log_mel)


@dataclass(frozen=True)
class StepPart:
    """Which part of a step is computed, and how."""

    adversarial: bool
    """Whether discriminators, and the terms that need them, take part."""
    first: int = 0
    """First frame that the discriminators see."""
    share: float = 1.0
    """Of the discriminators' gradient: one over the number of parts of the step."""


@dataclass(frozen=True)
class ForwardPass:
    """What the network makes of a batch: ``P`` paired crops, then ``U`` unpaired ones."""

    modules: LossModules
    network: TeacherNetwork
    batch: TeacherBatch
    output: TeacherOutput
    part: StepPart
    figures: Figures = field(default_factory=dict)
    """Metrics besides the terms' own values."""

    @property
    def paired(self) -> int:
        """Number ``P`` of paired crops."""
        return len(self.batch.truth)

    @cached_property
    def generator_loss(self) -> tuple[Tensor, Tensor]:
        """Adversarial loss and feature matching loss, after a step of the discriminators.

        They see `LossSettings.adversarial_frames` frames of the target's paired crops, and of
        what became of the unpaired ones.
        """
        audio, settings = self.output.audio, self.modules.settings
        first = self.part.first * HOP
        span = slice(first, first + settings.adversarial_frames * HOP)
        truth = self.batch.truth[: self.batch.own, span]
        fake = torch.cat([audio[: self.batch.own, span], audio[self.paired :, span]])
        self.figures["discriminator"] = self.modules.adversary.accumulate(
            truth, fake, self.part.share
        )
        return self.modules.adversary.generator_loss(fake, truth)

    def encode(self, log_mel: Tensor) -> Tensor:
        """Return the content ``[B, C, F]`` of normalised ``log_mel`` ``[B, bands, F]``, float32."""
        with self.modules.devices.autocast():
            content = self.network.encode(log_mel)
        return content.float()

    def encode_output(self) -> Tensor:
        """Return the content ``[U, C, F]`` of what the unpaired crops were converted into."""
        log_mel = self.modules.log_mel(self.output.audio[self.paired :])
        present = torch.ones_like(log_mel[:, 0], dtype=torch.bool)
        return self.encode(log_mel - loud_mean(log_mel, present))

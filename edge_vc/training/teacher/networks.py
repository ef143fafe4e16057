"""The networks of a teacher's training and their optimisers."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from edge_vc.models.teacher.file import begin_with
from edge_vc.models.teacher.network import TeacherNetwork
from edge_vc.training.checkpoint import Stateful
from edge_vc.training.devices import Devices
from edge_vc.training.discriminators import Discriminators
from edge_vc.training.gan import AdversarialLoss
from edge_vc.training.schedule import MovingAverage
from edge_vc.training.teacher.phone_classifier import PhoneClassifier
from edge_vc.training.teacher.settings import TeacherSettings
from edge_vc.training.voice.trainer import LARGEST_NORM


class TrainedNetworks:
    """The teacher, its moving average, its phone classifier and its discriminators."""

    def __init__(
        self, settings: TeacherSettings, devices: Devices, start: TeacherNetwork | None = None
    ) -> None:
        """Initialise from torch's generator, the teacher with the weights of ``start`` if given."""
        self.settings, self.devices = settings, devices
        sizes = replace(settings.network, units=settings.retrieve_from)
        self.network = TeacherNetwork(sizes).to(devices.device)
        if start is not None:
            begin_with(self.network, start)
        self.average = MovingAverage(self.network, settings.average_decay)
        self.classifier: PhoneClassifier | None = None
        if settings.losses.phones:
            self.classifier = PhoneClassifier(sizes.bottleneck).to(devices.device)
        self._trained = nn.ModuleList(
            part for part in (self.network, self.classifier) if part is not None
        )
        self.optimiser = torch.optim.AdamW(
            self._trained.parameters(), settings.peak_rate, betas=(0.8, 0.98), weight_decay=0.01
        )
        self.adversary = _adversary(settings, devices)
        if settings.compile:
            self.network.encoder.compile()
            self.network.decoder.compile()

    def parts(self) -> dict[str, Stateful]:
        """Return what a resumed run needs, by name."""
        parts: dict[str, Stateful] = {
            "network": self.network,
            "average": self.average,
            "optimiser": self.optimiser,
            "adversary": self.adversary,
        }
        return parts if self.classifier is None else parts | {"classifier": self.classifier}

    def set_rate(self, rate: float) -> None:
        """Set the learning rates; the discriminators' follows by `LossSettings`."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        for group in self.adversary.optimiser.param_groups:
            group["lr"] = rate * self.settings.losses.discriminator_rate

    def update(self) -> Tensor:
        """Take a step with the mean gradient of all processes; return its norm, a scalar.

        The norm is the one before it is limited to `LARGEST_NORM`.
        """
        self.devices.average(self._trained.parameters())
        for parameter in self._trained.parameters():
            if parameter.grad is not None:
                # One overflowing crop must not end a run.
                torch.nan_to_num_(parameter.grad, 0.0, 0.0, 0.0)
        norm = nn.utils.clip_grad_norm_(self._trained.parameters(), LARGEST_NORM)
        self.optimiser.step()
        self.average.update(self.network)
        return norm.detach()


def _adversary(settings: TeacherSettings, devices: Devices) -> AdversarialLoss:
    sizes = settings.discriminators
    networks = Discriminators(sizes.windows, sizes.channels, sizes.periods, sizes.period_channels)
    return AdversarialLoss(
        settings.peak_rate * settings.losses.discriminator_rate, networks, devices
    )

"""What the teacher's network is told about one part of a step."""

from __future__ import annotations

import torch
from torch import Tensor

from edge_vc.audio.mel import LogMel
from edge_vc.data.pair_set import HOP
from edge_vc.models.teacher.network import TeacherNetwork, TeacherOutput
from edge_vc.training.devices import Devices
from edge_vc.training.gan import Adversary
from edge_vc.training.losses import SpectralLoss
from edge_vc.training.teacher.batches import TeacherBatch, loud_mean
from edge_vc.training.teacher.phone_classifier import PhoneReader
from edge_vc.training.teacher.settings import LossSettings

Figures = dict[str, Tensor]


class TeacherLosses:
    """The terms of `LossSettings`, summed."""

    def __init__(
        self,
        settings: LossSettings,
        adversary: Adversary,
        devices: Devices,
        reader: PhoneReader | None = None,
    ) -> None:
        self.settings, self.adversary, self.devices = settings, adversary, devices
        self.reader = reader
        self.spectral = SpectralLoss().to(devices.device)
        self._log_mel = LogMel().to(devices.device)

    def __call__(
        self,
        network: TeacherNetwork,
        batch: TeacherBatch,
        *,
        judging: bool,
        first: int,
        share: float,
    ) -> tuple[Tensor, Figures]:
        """Return the loss and its terms.

        While ``judging``, the judges see the frames from ``first`` on and prepare ``share`` of
        their own step.
        """
        with self.devices.autocast():
            said = network(batch.log_mel, batch.f0, batch.mean_log_f0, batch.voice, batch.hiss)
        paired = len(batch.truth)
        spectral = self.spectral(said.audio[:paired], batch.truth)
        total, figures = spectral, {"spectral": spectral.detach()}
        if batch.second is not None:
            with self.devices.autocast():
                other = network.encode(batch.second)
            apart = apartness(other.float(), said.content[:paired].float())
            total = total + self.settings.invariance * apart
            figures["invariance"] = apart.detach()
        if self.reader is not None:
            misread, figures["read"] = self.reader.error(said.content, batch.phones)
            total = total + self.settings.phones * misread
            figures["phones"] = misread.detach()
        if judging:
            total = total + self._judged(said.audio, batch, first, share, figures)
        if judging and self.settings.consistency and len(said.audio) > paired:
            apart = self._inconsistency(network, said, paired)
            total = total + self.settings.consistency * apart
            figures["consistency"] = apart.detach()
        return total, figures

    def _judged(
        self, audio: Tensor, batch: TeacherBatch, first: int, share: float, figures: Figures
    ) -> Tensor:
        """Return the adversarial terms: the target's pairs, and natural input turned into her."""
        span = slice(first * HOP, (first + self.settings.judged_frames) * HOP)
        truth = batch.truth[: batch.own, span]
        fake = torch.cat([audio[: batch.own, span], audio[len(batch.truth) :, span]])
        figures["judge"] = self.adversary.learn(truth, fake, share)
        fooled, matched = self.adversary.persuade(fake, truth)
        figures |= {"fooled": fooled.detach(), "matched": matched.detach()}
        return self.settings.adversarial * fooled + self.settings.matching * matched

    def _inconsistency(self, network: TeacherNetwork, said: TeacherOutput, paired: int) -> Tensor:
        """L1 between what natural input says and what its conversion says."""
        log_mel = self._log_mel(said.audio[paired:])
        present = torch.ones_like(log_mel[:, 0], dtype=torch.bool)
        with self.devices.autocast():
            again = network.encode(log_mel - loud_mean(log_mel, present))
        return apartness(again.float(), said.content[paired:].detach().float())


def apartness(guess: Tensor, content: Tensor) -> Tensor:
    """Return L1 between contents ``[B, C, F]``, relative to how much ``content`` varies.

    Without that, a content that says nothing would be the cheapest one.
    """
    usual = content.mean((0, 2), keepdim=True)
    varies = (content - usual).abs().mean().clamp_min(1e-3)
    return (guess - content).abs().mean() / varies

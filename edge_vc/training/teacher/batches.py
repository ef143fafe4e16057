"""Batches for the teacher: paired crops with augmented inputs, then unpaired ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from edge_vc.augmentation.noise_bank import NoiseBank
from edge_vc.data.pair_set import HOP
from edge_vc.training.teacher.crop_plan import CropPlan, draw_plan
from edge_vc.training.teacher.input_augment import InputAugment
from edge_vc.training.teacher.input_settings import InputSettings
from edge_vc.training.teacher.speech_bank import SpeechBank, SpeechCrop

LOWEST_HZ, HIGHEST_HZ = 60.0, 500.0
"""Limits of converted pitch."""


@dataclass(frozen=True)
class TeacherBatch:
    """``P`` paired crops and then ``U`` unpaired ones, ``B`` together, of ``F`` frames."""

    log_mel: Tensor
    """Augmented input ``[B, bands, F]``, channel mean removed."""
    second: Tensor | None
    """Another augmented copy of the paired crops ``[P, bands, F]``."""
    f0: Tensor
    """F0 of the output ``[B, F]`` in Hz, 0 where unvoiced."""
    mean_log_f0: Tensor
    """``[B]``, around the crop."""
    voice: Tensor
    """Index of the output's speaker ``[B]``."""
    noise: Tensor
    """White noise ``[B, F * hop]`` of unit power, for the network's noise source."""
    truth: Tensor
    """The recordings of the paired crops ``[P, F * hop]``."""
    phones: Tensor
    """Indices of `PHONES` ``[B, F]``, `UNKNOWN` where there is none."""
    own: int
    """How many of the paired crops, the first ones, are of voice 0."""


class TeacherBatches:
    """Draws crops from a bank and augments them, on the bank's device."""

    def __init__(
        self,
        bank: SpeechBank,
        noises: NoiseBank,
        settings: InputSettings,
        frames: int,
        target_log_f0: float,
    ) -> None:
        """Draw crops of ``frames`` frames; unpaired ones get a mean log F0 of the target's."""
        self.bank, self.settings = bank, settings
        self.frames, self.target_log_f0 = frames, target_log_f0
        self.augment = InputAugment(bank, noises, settings, frames)
        self._around = max(0, settings.mean_frames - frames) // 2

    @torch.no_grad()
    def draw(
        self,
        rows: Sequence[tuple[str, int]],
        seed: Sequence[int],
        *,
        second: bool = False,
    ) -> TeacherBatch:
        """Make the batch of ``rows``, paired ones first; ``seed`` is the run's and the step."""
        plan = draw_plan(self.bank, self.settings, rows, self.frames, [*seed, 0])
        crop = self._cut(plan)
        paired = sum(kind != "unpaired" for kind, _ in rows)
        inner = slice(self._around, self._around + self.frames)
        f0, mean = self._output_pitch(crop, plan, paired)
        is_paired = torch.arange(len(rows), device=f0.device) < paired
        return TeacherBatch(
            log_mel=self.augment(crop, plan)[..., inner],
            second=self._second(rows[:paired], seed, inner) if second else None,
            f0=f0[:, inner],
            mean_log_f0=mean,
            voice=torch.where(is_paired, plan.speaker, 0),
            noise=self.augment.white_noise(plan.offset, self.frames * HOP),
            truth=crop.targets[:paired, inner.start * HOP : inner.stop * HOP],
            phones=crop.phones[:, inner],
            own=sum(kind == "own" for kind, _ in rows),
        )

    def _second(self, rows: Sequence[tuple[str, int]], seed: Sequence[int], inner: slice) -> Tensor:
        plan = draw_plan(self.bank, self.settings, rows, self.frames, [*seed, 1])
        augmented: Tensor = self.augment(self._cut(plan), plan)
        return augmented[..., inner]

    def _cut(self, plan: CropPlan) -> SpeechCrop:
        window = self.frames + 2 * self._around
        return self.bank.cut(plan.speaker, plan.variant, plan.place, self._around, window)

    def _output_pitch(self, crop: SpeechCrop, plan: CropPlan, paired: int) -> tuple[Tensor, Tensor]:
        """Return F0 ``[B, W]`` and its mean logarithm; unpaired rows move to the target's mean."""
        mean = self.augment.mean_log_f0(crop, plan)
        wanted = torch.full_like(mean, self.target_log_f0)
        unpaired = torch.arange(len(mean), device=mean.device) >= paired
        moved = (crop.f0 * (wanted - mean).exp()[:, None]).clamp(LOWEST_HZ, HIGHEST_HZ)
        moved = torch.where(unpaired[:, None] & (crop.f0 > 0), moved, crop.f0)
        return moved, torch.where(unpaired, wanted, mean)

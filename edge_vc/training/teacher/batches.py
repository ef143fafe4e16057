"""Batches for the teacher, made on the device that trains: other voices, rooms, noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import librosa
import numpy as np
import torch
from torch import Tensor, nn

from edge_vc.audio.mel import LogMel
from edge_vc.augmentation.frequency_warp import warp_matrix
from edge_vc.data.pair_set import HOP, SAMPLE_RATE
from edge_vc.training.teacher.crop_plan import LONGEST_OFFSET, Plan, draw_plan
from edge_vc.training.teacher.input_settings import InputSettings
from edge_vc.training.teacher.noise_bank import NoiseBank
from edge_vc.training.teacher.speech_bank import Cut, SpeechBank
from edge_vc.training.teacher.vocoder import OtherVoice, revoice

WARPS = np.exp(np.linspace(-0.4, 0.4, 61))
"""Frequency warps of mel bands on offer; a formant at ``f`` moves to ``f * warp``."""
LOWEST_HZ, HIGHEST_HZ = 60.0, 500.0
"""Where converted pitch is kept."""


@dataclass(frozen=True)
class TeacherBatch:
    """``P`` paired crops and then ``U`` unpaired ones, ``B`` together, of ``F`` frames."""

    log_mel: Tensor
    """Disturbed input ``[B, bands, F]``, channel mean removed."""
    second: Tensor | None
    """Another disturbed copy of the paired crops ``[P, bands, F]``."""
    f0: Tensor
    """Contour to speak with ``[B, F]`` in Hz, 0 where unvoiced."""
    mean_log_f0: Tensor
    """``[B]``, around the crop."""
    voice: Tensor
    """Whose voice to speak with ``[B]``."""
    hiss: Tensor
    """White noise ``[B, F * hop]`` of unit power."""
    truth: Tensor
    """The recordings of the paired crops ``[P, F * hop]``."""
    phones: Tensor
    """What is said ``[B, F]``, as `edge_vc.training.teacher.speech_bank.Cut` has it."""
    own: int
    """How many of the paired crops, the first ones, are of voice 0."""


class TeacherBatches(nn.Module):
    """Draws crops from a bank and disturbs them; the tables live on the bank's device."""

    def __init__(
        self,
        bank: SpeechBank,
        noises: NoiseBank,
        settings: InputSettings,
        frames: int,
        target_log_f0: float,
    ) -> None:
        super().__init__()
        self.bank, self.noises, self.settings = bank, noises, settings
        self.frames, self.target_log_f0 = frames, target_log_f0
        self.log_mel = LogMel().to(bank.device)
        bands = self.log_mel.bank.shape[0]
        centres = librosa.mel_frequencies(bands + 2, fmin=0, fmax=SAMPLE_RATE / 2)[1:-1]
        warps = np.stack([warp_matrix(warp, centres) for warp in WARPS])
        self._warps = torch.from_numpy(warps).to(bank.device)
        white = np.random.default_rng(1).standard_normal(2 * LONGEST_OFFSET, np.float32)
        self._white = torch.from_numpy(white).to(bank.device)
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
        cut = self._cut(plan)
        own = sum(kind == "own" for kind, _ in rows)
        paired = sum(kind != "unpaired" for kind, _ in rows)
        inner = slice(self._around, self._around + self.frames)
        sound = slice(inner.start * HOP, inner.stop * HOP)
        f0, mean = self._spoken_pitch(cut, plan, paired)
        again = None
        if second:
            other = draw_plan(self.bank, self.settings, rows[:paired], self.frames, [*seed, 1])
            again = self._features(self._cut(other), other)[..., inner]
        return TeacherBatch(
            self._features(cut, plan)[..., inner],
            again,
            f0[:, inner],
            mean,
            torch.where(torch.arange(len(rows), device=f0.device) < paired, plan.speaker, 0),
            self._hiss(plan.offset, self.frames * HOP),
            cut.targets[:paired, sound],
            cut.phones[:, inner],
            own,
        )

    def _cut(self, plan: Plan) -> Cut:
        window = self.frames + 2 * self._around
        return self.bank.cut(plan.speaker, plan.variant, plan.place, self._around, window)

    def _spoken_pitch(self, cut: Cut, plan: Plan, paired: int) -> tuple[Tensor, Tensor]:
        """Return F0 ``[B, W]`` and its mean logarithm; unpaired rows move to the target's."""
        mean = self._mean_log_f0(cut, plan)
        wanted = torch.full_like(mean, self.target_log_f0)
        unpaired = torch.arange(len(mean), device=mean.device) >= paired
        moved = (cut.f0 * (wanted - mean).exp()[:, None]).clamp(LOWEST_HZ, HIGHEST_HZ)
        moved = torch.where(unpaired[:, None] & (cut.f0 > 0), moved, cut.f0)
        return moved, torch.where(unpaired, wanted, mean)

    def _mean_log_f0(self, cut: Cut, plan: Plan) -> Tensor:
        """Mean over what is voiced around the crop, the speaker's own where nothing is."""
        voiced = cut.f0 > 0
        total = torch.where(voiced, cut.f0, torch.ones_like(cut.f0)).log().sum(1)
        usual = torch.from_numpy(self.bank.mean_log_f0).to(total.device)[plan.speaker]
        count = voiced.sum(1)
        return torch.where(count > 10, total / count.clamp_min(1), usual)

    def _features(self, cut: Cut, plan: Plan) -> Tensor:
        """Return disturbed log-mel frames ``[B, bands, W]`` without their channel mean."""
        audio = self._other_voices(cut, plan)
        audio = self._in_rooms(audio, plan)
        audio = self._in_noise(audio, plan)
        log_mel = self.log_mel(audio)
        log_mel = log_mel - loud_mean(log_mel, self._near(cut.present, plan))
        soft = (log_mel - self.settings.threshold).clamp(max=0)
        log_mel = log_mel + (plan.expansion - 1)[:, None, None] * soft
        nearest = (plan.mel_warp[:, None] - self._log_warps(audio.device)).abs().argmin(1)
        warped = self._warps[nearest] @ log_mel
        curve = nn.functional.interpolate(
            plan.equaliser[:, None], warped.shape[1], mode="linear", align_corners=True
        )
        equalised: Tensor = warped + curve[:, 0, :, None] + plan.level[:, None, None]
        return equalised

    def _near(self, present: Tensor, plan: Plan) -> Tensor:
        """Return which of the frames ``present`` ``[B, W]`` the channel's mean is taken over."""
        window = present.shape[1]
        from_middle = torch.arange(window, device=present.device) - (window - 1) / 2
        reach = plan.heard.clamp_min(self.frames)[:, None] / 2
        return present & (from_middle.abs() <= reach)

    @staticmethod
    def _log_warps(device: torch.device) -> Tensor:
        return torch.from_numpy(np.log(WARPS).astype(np.float32)).to(device)

    def _other_voices(self, cut: Cut, plan: Plan) -> Tensor:
        chosen = plan.revoiced.nonzero()[:, 0]
        if not len(chosen):
            return cut.inputs
        voice = OtherVoice(
            plan.median_hz[chosen],
            plan.f0_range[chosen],
            plan.warp[chosen],
            plan.breath_hz[chosen],
        )
        hiss = self._hiss(plan.offset[chosen] // 2, cut.inputs.shape[1])
        mean = self._mean_log_f0(cut, plan)[chosen]
        made = revoice(cut.inputs[chosen], cut.f0[chosen], mean, voice, hiss, SAMPLE_RATE)
        return cut.inputs.index_copy(0, chosen, made)

    def _in_rooms(self, audio: Tensor, plan: Plan) -> Tensor:
        rooms = self.noises.rooms
        chosen = (plan.room < 1).nonzero()[:, 0]
        if not len(chosen):
            return audio
        response = rooms[(plan.room[chosen] * len(rooms)).long()]
        size = audio.shape[1] + rooms.shape[1]
        spectrum = torch.fft.rfft(audio[chosen], size) * torch.fft.rfft(response, size)
        heard = torch.fft.irfft(spectrum, size)[:, : audio.shape[1]]
        return audio.index_copy(0, chosen, heard)

    def _in_noise(self, audio: Tensor, plan: Plan) -> Tensor:
        noises = self.noises.noises
        which = (plan.noise.clamp(max=0.9999) * len(noises)).long()
        place = plan.offset[:, None] + torch.arange(audio.shape[1], device=audio.device)
        bed = noises[which[:, None], place % noises.shape[1]]
        power = audio.square().mean(1)
        gain = (power * 10 ** (-plan.snr_db / 10)).sqrt() * (plan.noise < 1)
        return audio + gain[:, None] * bed

    def _hiss(self, offset: Tensor, length: int) -> Tensor:
        place = offset[:, None] + torch.arange(length, device=offset.device)
        return self._white[place % len(self._white)]


def loud_mean(log_mel: Tensor, present: Tensor) -> Tensor:
    """Return ``[B, bands, 1]``: the mean over the louder half of the frames that are ``present``.

    What `edge_vc.audio.mel.channel_mean` is to one recording.
    """
    loudness = log_mel.mean(1).masked_fill(~present, float("nan"))
    loud = loudness >= loudness.nanmedian(1, keepdim=True).values
    weight = loud[:, None].to(log_mel.dtype)
    return (log_mel * weight).sum(2, keepdim=True) / weight.sum(2, keepdim=True).clamp_min(1)

"""Augmented inputs of the teacher, made on the device that trains: other voices, rooms, noise."""

from __future__ import annotations

import librosa
import numpy as np
import torch
from torch import Tensor, nn

from edge_vc.audio.mel import LogMel
from edge_vc.augmentation.frequency_warp import warp_matrix
from edge_vc.augmentation.noise_bank import NoiseBank
from edge_vc.augmentation.revoicing import VoiceParameters, revoice
from edge_vc.data.pair_set import SAMPLE_RATE
from edge_vc.training.teacher.crop_plan import LONGEST_OFFSET, CropPlan
from edge_vc.training.teacher.input_settings import InputSettings
from edge_vc.training.teacher.speech_bank import SpeechBank, SpeechCrop

WARPS = np.exp(np.linspace(-0.4, 0.4, 61))
"""Grid of frequency warps of mel bands; a formant at ``f`` moves to ``f * warp``."""


class InputAugment(nn.Module):
    """Turns crops into log-mel frames as their plan says; the tables live on the bank's device."""

    def __init__(
        self, bank: SpeechBank, noises: NoiseBank, settings: InputSettings, frames: int
    ) -> None:
        """Prepare tables for crops of ``frames`` frames."""
        super().__init__()
        self.bank, self.noises, self.settings, self.frames = bank, noises, settings, frames
        self.log_mel = LogMel().to(bank.device)
        bands = self.log_mel.bank.shape[0]
        centres = librosa.mel_frequencies(bands + 2, fmin=0, fmax=SAMPLE_RATE / 2)[1:-1]
        warps = np.stack([warp_matrix(warp, centres) for warp in WARPS])
        self._warps = torch.from_numpy(warps).to(bank.device)
        self._log_warps = torch.from_numpy(np.log(WARPS).astype(np.float32)).to(bank.device)
        white = np.random.default_rng(1).standard_normal(2 * LONGEST_OFFSET, np.float32)
        self._white = torch.from_numpy(white).to(bank.device)

    def forward(self, crop: SpeechCrop, plan: CropPlan) -> Tensor:
        """Return augmented log-mel frames ``[B, bands, W]`` without their channel mean."""
        audio = self.perturb_voices(crop, plan)
        audio = self.add_rooms(audio, plan)
        audio = self.add_noise(audio, plan)
        log_mel = self.log_mel(audio)
        log_mel = log_mel - loud_mean(log_mel, self.channel_frames(crop.present, plan))
        return self.equalise(self._warp(self._expand(log_mel, plan), plan), plan)

    def mean_log_f0(self, crop: SpeechCrop, plan: CropPlan) -> Tensor:
        """Return the mean log F0 ``[B]`` of the crops' voiced frames.

        That of the speaker where ten frames or fewer are voiced.
        """
        voiced = crop.f0 > 0
        total = torch.where(voiced, crop.f0, torch.ones_like(crop.f0)).log().sum(1)
        usual = torch.from_numpy(self.bank.mean_log_f0).to(total.device)[plan.speaker]
        count = voiced.sum(1)
        return torch.where(count > 10, total / count.clamp_min(1), usual)

    def white_noise(self, offset: Tensor, length: int) -> Tensor:
        """Return ``[B, length]`` samples of unit power from ``offset`` ``[B]`` of a fixed noise."""
        place = offset[:, None] + torch.arange(length, device=offset.device)
        return self._white[place % len(self._white)]

    def perturb_voices(self, crop: SpeechCrop, plan: CropPlan) -> Tensor:
        """Return the inputs ``[B, W * hop]``, those that the plan says in another voice."""
        chosen = plan.voice_perturbed.nonzero()[:, 0]
        if not len(chosen):
            return crop.inputs
        voice = VoiceParameters(
            plan.median_hz[chosen],
            plan.f0_range[chosen],
            plan.warp[chosen],
            plan.breath_hz[chosen],
        )
        noise = self.white_noise(plan.offset[chosen] // 2, crop.inputs.shape[1])
        mean = self.mean_log_f0(crop, plan)[chosen]
        made = revoice(crop.inputs[chosen], crop.f0[chosen], mean, voice, noise, SAMPLE_RATE)
        return crop.inputs.index_copy(0, chosen, made)

    def add_rooms(self, audio: Tensor, plan: CropPlan) -> Tensor:
        """Convolve the rows of ``audio`` ``[B, T]`` that the plan says with a room's response."""
        rooms = self.noises.rooms
        chosen = (plan.room < 1).nonzero()[:, 0]
        if not len(chosen):
            return audio
        response = rooms[(plan.room[chosen] * len(rooms)).long()]
        size = audio.shape[1] + rooms.shape[1]
        spectrum = torch.fft.rfft(audio[chosen], size) * torch.fft.rfft(response, size)
        heard = torch.fft.irfft(spectrum, size)[:, : audio.shape[1]]
        return audio.index_copy(0, chosen, heard)

    def add_noise(self, audio: Tensor, plan: CropPlan) -> Tensor:
        """Add noise at the plan's SNR to the rows of ``audio`` ``[B, T]`` that the plan says."""
        noises = self.noises.noises
        which = (plan.noise.clamp(max=0.9999) * len(noises)).long()
        place = plan.offset[:, None] + torch.arange(audio.shape[1], device=audio.device)
        bed = noises[which[:, None], place % noises.shape[1]]
        power = audio.square().mean(1)
        gain = (power * 10 ** (-plan.snr_db / 10)).sqrt() * (plan.noise < 1)
        return audio + gain[:, None] * bed

    def channel_frames(self, present: Tensor, plan: CropPlan) -> Tensor:
        """Return which of the frames ``present`` ``[B, W]`` the channel mean is taken over."""
        window = present.shape[1]
        from_middle = torch.arange(window, device=present.device) - (window - 1) / 2
        reach = plan.mean_frames.clamp_min(self.frames)[:, None] / 2
        return present & (from_middle.abs() <= reach)

    def _expand(self, log_mel: Tensor, plan: CropPlan) -> Tensor:
        soft = (log_mel - self.settings.threshold).clamp(max=0)
        return log_mel + (plan.expansion - 1)[:, None, None] * soft

    def _warp(self, log_mel: Tensor, plan: CropPlan) -> Tensor:
        nearest = (plan.mel_warp[:, None] - self._log_warps).abs().argmin(1)
        return self._warps[nearest] @ log_mel

    def equalise(self, log_mel: Tensor, plan: CropPlan) -> Tensor:
        """Add the plan's equaliser curve and level to ``log_mel`` ``[B, bands, W]``."""
        curve = nn.functional.interpolate(
            plan.equaliser[:, None], log_mel.shape[1], mode="linear", align_corners=True
        )
        equalised: Tensor = log_mel + curve[:, 0, :, None] + plan.level[:, None, None]
        return equalised


def loud_mean(log_mel: Tensor, present: Tensor) -> Tensor:
    """Return ``[B, bands, 1]``: the mean over the louder half of the frames that are ``present``.

    As `edge_vc.audio.mel.channel_mean` does for one recording.
    """
    loudness = log_mel.mean(1).masked_fill(~present, float("nan"))
    loud = loudness >= loudness.nanmedian(1, keepdim=True).values
    weight = loud[:, None].to(log_mel.dtype)
    return (log_mel * weight).sum(2, keepdim=True) / weight.sum(2, keepdim=True).clamp_min(1)

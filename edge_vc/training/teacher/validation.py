"""Sentences that training never sees: validation losses, and samples to listen to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_vc.audio.io import Samples, write_audio
from edge_vc.audio.mel import LogMel
from edge_vc.augmentation.revoicing import VoiceParameters, revoice
from edge_vc.data.pair_set import SAMPLE_RATE, PairSet
from edge_vc.models.teacher.network import TeacherNetwork
from edge_vc.training.losses import SpectralLoss
from edge_vc.training.teacher.batches import HIGHEST_HZ, LOWEST_HZ
from edge_vc.training.teacher.input_augment import loud_mean
from edge_vc.training.voice.validation import draw_spectrogram

SPOKEN = 3
"""Sentences in a sample."""
_PAUSE = SAMPLE_RATE // 2


class ValidationSet:
    """Sentences of the target, to be reconstructed, and of others, to be converted."""

    def __init__(self, pairs: Sequence[PairSet], target: str, device: torch.device) -> None:
        self.own = [pair for pair in pairs if pair.speaker == target]
        self.others = [pair for pair in pairs if pair.speaker != target]
        self.device = device
        self._log_mel = LogMel().to(device)
        self._loss = SpectralLoss().to(device)

    @torch.no_grad()
    def losses(self, network: TeacherNetwork) -> dict[str, float]:
        """Return the mean spectral losses of the target's sentences.

        ``natural``: the input is the recording; ``validation``: the recording in another voice.
        Empty where there are no sentences of the target.
        """
        natural, perturbed = [], []
        for pair in self.own:
            truth = self._audio(pair.target)
            audio = self._audio(pair.inputs[0])
            f0 = torch.from_numpy(pair.f0)[None].to(self.device)
            mean = _mean_log_f0(f0)
            natural.append(float(self._loss(self.speak(network, audio, f0, mean), truth)))
            other = self._low_voice(audio, f0, mean)
            perturbed.append(float(self._loss(self.speak(network, other, f0, mean), truth)))
        if not natural:
            return {}
        return {"natural": float(np.mean(natural)), "validation": float(np.mean(perturbed))}

    @torch.no_grad()
    def sample(self, network: TeacherNetwork, folder: Path, step: int) -> None:
        """Write conversions of the others' sentences: a WAV file and its spectrogram."""
        heard: list[Samples] = []
        for pair in (self.others or self.own)[:SPOKEN]:
            f0 = torch.from_numpy(pair.f0)[None].to(self.device)
            shift = network.config.target_log_f0 - _mean_log_f0(f0)
            moved = (f0 * shift.exp()).clamp(LOWEST_HZ, HIGHEST_HZ)
            moved = torch.where(f0 > 0, moved, f0)
            wanted = torch.full_like(shift, network.config.target_log_f0)
            made = self.speak(network, self._audio(pair.inputs[0]), moved, wanted)
            heard += [made[0].cpu().numpy(), np.zeros(_PAUSE, np.float32)]
        if not heard:
            return
        folder.mkdir(parents=True, exist_ok=True)
        audio = np.concatenate(heard)
        write_audio(folder / f"step-{step:07d}.wav", audio, SAMPLE_RATE)
        draw_spectrogram(audio, folder / f"step-{step:07d}.png")

    def speak(self, network: TeacherNetwork, audio: Tensor, f0: Tensor, mean: Tensor) -> Tensor:
        """Return ``audio`` ``[1, F * hop]`` in voice 0 with contour ``f0`` ``[1, F]``."""
        log_mel = self._log_mel(audio)
        log_mel = log_mel - loud_mean(log_mel, torch.ones_like(f0, dtype=torch.bool))
        voice = torch.zeros(1, dtype=torch.long, device=self.device)
        spoken: Tensor = network(log_mel, f0, mean, voice, _white_noise(audio)).audio
        return spoken

    def _audio(self, samples: NDArray[np.int16]) -> Tensor:
        floats = samples.astype(np.float32) / np.float32(32767)
        return torch.from_numpy(floats)[None].to(self.device)

    def _low_voice(self, audio: Tensor, f0: Tensor, mean: Tensor) -> Tensor:
        """Return ``audio`` in a low voice with a long vocal tract."""
        numbers = torch.tensor([[110.0], [1.0], [0.85], [6000.0]], device=self.device)
        voice = VoiceParameters(*numbers)
        return revoice(audio, f0, mean, voice, _white_noise(audio), SAMPLE_RATE)


def _mean_log_f0(f0: Tensor) -> Tensor:
    """Return ``[1]``: the mean over voiced frames of ``[1, F]``, of 150 Hz where there are none."""
    voiced = f0[f0 > 0]
    usual = torch.tensor([150.0], device=f0.device)
    return (voiced if len(voiced) else usual).log().mean()[None]


def _white_noise(audio: Tensor) -> Tensor:
    noise = torch.randn(audio.shape, generator=torch.Generator().manual_seed(0))
    return noise.to(audio.device)

"""Spectral losses between waveforms ``[B, T]``."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from edge_vc.audio.mel import mel_matrix

MAGNITUDE_FLOOR = 1e-3
"""Added before taking logarithms: spectral detail below it is noise floor, not voice."""


class SpectralLoss(nn.Module):
    """Multi-resolution STFT loss (Yamamoto et al. 2020) and a log-mel L1, in one pass.

    Per window: L1 of log magnitudes + spectral convergence, averaged over windows; the mel term
    is taken at the third window.
    """

    def __init__(
        self,
        sample_rate: int = 16_000,
        windows: Sequence[int] = (256, 512, 1024, 2048),
        stft_weight: float = 1.0,
        mel_weight: float = 1.5,
    ) -> None:
        super().__init__()
        self.windows = tuple(windows)
        self.mel_window = self.windows[min(2, len(self.windows) - 1)]
        self.stft_weight, self.mel_weight = stft_weight, mel_weight
        bank = mel_matrix(sample_rate, self.mel_window, 80)
        self.register_buffer("bank", bank / bank.sum(1, keepdim=True), persistent=False)
        self.bank: Tensor

    def forward(self, audio: Tensor, target: Tensor) -> Tensor:
        """Return the weighted loss of ``audio`` against ``target``, both ``[B, T]``."""
        stft, mel = self.distances(audio, target)
        total: Tensor = self.stft_weight * stft + self.mel_weight * mel
        return total

    def distances(self, audio: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Return the STFT distance, averaged over windows, and the mel distance, unweighted.

        A distance whose weight is 0 may be computed only partially.
        """
        stft = audio.new_zeros(())
        mel = audio.new_zeros(())
        for window in self.windows:
            if self.stft_weight == 0 and window != self.mel_window:
                continue
            guess, truth = magnitudes(audio, window), magnitudes(target, window)
            stft = stft + log_distance(guess, truth) + convergence(guess, truth)
            if window == self.mel_window:
                mel = log_distance(self.bank @ guess, self.bank @ truth)
        return stft / len(self.windows), mel


def magnitudes(audio: Tensor, window: int, hop: int | None = None) -> Tensor:
    """Return the Hann STFT magnitudes ``[B, window // 2 + 1, frames]`` of ``[B, T]``."""
    hann = torch.hann_window(window, device=audio.device)
    hop = hop or window // 4
    spectrum: Tensor = torch.stft(audio, window, hop, window=hann, return_complex=True)
    return spectrum.abs()


def log_distance(guess: Tensor, truth: Tensor) -> Tensor:
    """Return the mean absolute difference of natural logarithms."""
    return ((guess + MAGNITUDE_FLOOR).log() - (truth + MAGNITUDE_FLOOR).log()).abs().mean()


def convergence(guess: Tensor, truth: Tensor) -> Tensor:
    """Return the spectral convergence, averaged over rows.

    That is the Frobenius norm of the difference over that of the truth.
    """
    error: Tensor = (guess - truth).norm(dim=(1, 2))
    size: Tensor = truth.norm(dim=(1, 2))
    return (error / size.clamp_min(1e-3)).mean()

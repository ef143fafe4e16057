"""Discriminators of waveforms: spectrograms at several resolutions, and folded waveforms.

Least-squares adversarial and feature-matching losses and the multi-period discriminator as in
HiFi-GAN (Kong et al. 2020), the multi-resolution spectrogram discriminator of UnivNet (Jang et
al. 2021), made narrow enough for a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from edge_vc.training.losses import magnitudes

FeatureMaps = list[list[Tensor]]
"""The feature maps of each discriminator, with its scores last."""


class SpectrogramDiscriminator(nn.Module):
    """Strided 2-D convolutions over log magnitudes at one resolution."""

    def __init__(self, window: int, channels: int) -> None:
        super().__init__()
        self.window = window
        widths = [1, channels, channels, 2 * channels, 2 * channels]
        self.layers = nn.ModuleList(
            nn.utils.parametrizations.weight_norm(
                nn.Conv2d(a, b, (5, 3), stride=(2, 1) if index else (4, 2), padding=(2, 1))
            )
            for index, (a, b) in enumerate(pairwise(widths))
        )
        self.score = nn.utils.parametrizations.weight_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, audio: Tensor) -> list[Tensor]:
        """Return the feature maps of ``[B, T]``, the scores last."""
        x = (magnitudes(audio, self.window) + 1e-3).log()[:, None] * 0.3 + 1.0
        features = []
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), 0.1)
            features.append(x)
        return [*features, self.score(x)]


class PeriodDiscriminator(nn.Module):
    """Strided convolutions along the columns of a waveform folded by ``period`` samples."""

    def __init__(self, period: int, channels: int) -> None:
        super().__init__()
        self.period = period
        widths = [1, channels, 2 * channels, 4 * channels, 4 * channels]
        self.layers = nn.ModuleList(
            nn.utils.parametrizations.weight_norm(
                nn.Conv2d(a, b, (5, 1), stride=(3, 1), padding=(2, 0))
            )
            for a, b in pairwise(widths)
        )
        self.score = nn.utils.parametrizations.weight_norm(
            nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0))
        )

    def forward(self, audio: Tensor) -> list[Tensor]:
        """Return the feature maps of ``[B, T]``, the scores last."""
        padded = nn.functional.pad(audio, (0, -audio.shape[1] % self.period))
        x = padded.view(len(audio), 1, -1, self.period)
        features = []
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), 0.1)
            features.append(x)
        return [*features, self.score(x)]


class Discriminators(nn.Module):
    """`SpectrogramDiscriminator` for each window and `PeriodDiscriminator` for each period."""

    def __init__(
        self,
        windows: Sequence[int] = (256, 512, 1024),
        channels: int = 16,
        periods: Sequence[int] = (),
        period_channels: int = 16,
        condition: int = 0,
    ) -> None:
        """``condition`` is the size of the vector that encodes the requested voice and style."""
        super().__init__()
        parts: list[nn.Module] = [SpectrogramDiscriminator(w, channels) for w in windows]
        parts += [PeriodDiscriminator(p, period_channels) for p in periods]
        self.parts = nn.ModuleList(parts)
        widths = [channels * 2] * len(windows) + [period_channels * 4] * len(periods)
        self.projections = nn.ModuleList(
            nn.Linear(condition, width, bias=False) for width in widths if condition
        )

    def forward(self, audio: Tensor, condition: Tensor | None = None) -> FeatureMaps:
        """Return one list of feature maps of ``[B, T]`` per discriminator.

        With a ``condition`` ``[B, E]``, the scores also tell whether the audio matches it: the mean
        of the features is projected on it (Miyato and Koyama, 2018).
        """
        maps: FeatureMaps = [part(audio) for part in self.parts]
        if condition is not None:
            for found, projection in zip(maps, self.projections, strict=True):
                pooled = found[-2].mean(dim=(2, 3))
                fit = (pooled * projection(condition)).sum(1)
                found[-1] = found[-1] + fit[:, None, None, None]
        return maps


def discriminator_loss(real: FeatureMaps, fake: FeatureMaps) -> Tensor:
    """Return the least-squares loss that moves real scores to 1 and fake scores to 0."""
    terms = [
        (1 - r[-1]).square().mean() + f[-1].square().mean() for r, f in zip(real, fake, strict=True)
    ]
    return torch.stack(terms).mean()


def generator_loss(fake: FeatureMaps) -> Tensor:
    """Return the least-squares loss that moves fake scores to 1."""
    return torch.stack([(1 - f[-1]).square().mean() for f in fake]).mean()


def feature_matching_loss(real: FeatureMaps, fake: FeatureMaps) -> Tensor:
    """Return the mean L1 distance between feature maps, relative to the size of the real ones."""
    terms = [
        (a.detach() - b).abs().mean() / a.detach().abs().mean().clamp_min(1e-4)
        for r, f in zip(real, fake, strict=True)
        for a, b in zip(r[:-1], f[:-1], strict=True)
    ]
    return torch.stack(terms).mean()

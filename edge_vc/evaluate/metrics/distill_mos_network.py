"""The network of Distill-MOS (Stahl, Gamper 2025) in torch: convolutions, then a small transformer.

Distilled by its authors from a larger network with wav2vec 2.0 XLS-R features; 4.1 million
parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

WINDOW, HOP = 320, 160
"""Window and hop of the Fourier transform in samples: 20 and 10 ms at 16 kHz."""
CROP = 122_880
"""Samples of one input: 7.68 s."""
FRAMES = CROP // HOP // 2
"""Frames of 20 ms: the last convolution has a stride of two spectra."""
COMPRESSION = 0.3
"""Exponent applied to the magnitudes; phases are unchanged."""
CHANNELS = (2, 64, 64, 128, 256, 256, 256)
"""Channels before and after each convolution; the first are the real and imaginary parts."""
STRIDES = ((1, 1), (2, 1), (2, 1), (2, 1), (2, 1), (2, 2))
"""Strides of each convolution, along frequency and time."""
BANDS = 4
"""Bands left of 161 frequencies after the convolutions, which pad only along time."""
WIDTH, HEADS, INNER, LAYERS = 200, 8, 400, 7
_QUIETEST = 1e-12
_HEAD = "transformer_pool_attn"
_NAMES = {
    "cnn.cnn.": "convolutions.",
    f"{_HEAD}.norm_input.": "norms.0.",
    f"{_HEAD}.transformer.norm.": "norms.1.",
    f"{_HEAD}.transformer.linear_proj.": "project.",
    f"{_HEAD}.transformer.position_encoding.pe": "positions",
    f"{_HEAD}.transformer.transformer_encoder.layers.": "layers.",
    f"{_HEAD}.norm_trans.": "last_norm.",
    f"{_HEAD}.pool.linear1.": "attention.0.",
    f"{_HEAD}.pool.linear2.": "attention.2.",
    f"{_HEAD}.pool.linear3.": "opinion.",
}
"""Prefixes of the published weights' names, and the corresponding ones here."""


class DistillMosNetwork(nn.Module):
    """Mean opinion scores of crops of speech."""

    positions: Tensor
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for before, after, stride in zip(CHANNELS, CHANNELS[1:], STRIDES, strict=False):
            stages += [nn.Conv2d(before, after, 3, stride, padding=(0, 1)), nn.LeakyReLU(0.1)]
        self.convolutions = nn.Sequential(*stages)
        features = CHANNELS[-1] * BANDS
        self.norms = nn.Sequential(nn.BatchNorm1d(features), nn.BatchNorm1d(features))
        self.project = nn.Linear(features, WIDTH)
        self.layers = nn.Sequential(
            *(
                nn.TransformerEncoderLayer(WIDTH, HEADS, INNER, dropout=0.0, batch_first=True)
                for _ in range(LAYERS)
            )
        )
        self.last_norm = nn.BatchNorm1d(WIDTH)
        self.attention = nn.Sequential(nn.Linear(WIDTH, INNER), nn.ReLU(), nn.Linear(INNER, 1))
        self.opinion = nn.Linear(WIDTH, 1)
        self.register_buffer("positions", torch.zeros(1, FRAMES, WIDTH))
        self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)
        self.eval().requires_grad_(False)

    def load_published(self, weights: Mapping[str, Tensor]) -> None:
        """Load the weights under their published names."""
        self.load_state_dict({_renamed(name): value for name, value in weights.items()})

    def forward(self, crops: Tensor) -> Tensor:
        """Return scores ``[B]``, 1 to 5, of ``crops`` ``[B, CROP]`` with a peak of 1."""
        heard = self.convolutions(self.spectrum(crops)).flatten(1, 2)  # [B, 1024, FRAMES]
        x = self.project(self.norms(heard).mT) + self.positions
        x = self.last_norm(self.layers(x).mT).mT
        shares = self.attention(x).softmax(1)  # [B, FRAMES, 1]
        score: Tensor = 1 + 4 * self.opinion((shares * x).sum(1)).sigmoid()
        return score[:, 0]

    def spectrum(self, crops: Tensor) -> Tensor:
        """Return compressed spectra ``[B, 2, 161, CROP / HOP]`` of ``crops`` ``[B, CROP]``."""
        beside = (WINDOW - HOP) // 2
        framed = nn.functional.pad(crops, (beside, beside), mode="reflect")
        found = torch.stft(
            framed, WINDOW, HOP, window=self.window, center=False, return_complex=True
        )
        parts = torch.view_as_real(found).permute(0, 3, 1, 2)
        magnitude = parts.square().sum(1, keepdim=True).sqrt().clamp_min(_QUIETEST)
        return parts * magnitude ** (COMPRESSION - 1)


def _renamed(name: str) -> str:
    theirs = next(start for start in _NAMES if name.startswith(start))
    return _NAMES[theirs] + name.removeprefix(theirs)

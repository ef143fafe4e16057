"""Augmentation of a student's input features, which leaves the teacher's output unchanged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edge_vc.augmentation.frequency_warp import warp_matrix
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.frontend import mel_points

KNOTS = 6
"""Number of knots of a smooth curve over the bands."""


@dataclass(frozen=True)
class FeatureAugment:
    """Random changes to the trunk's normalised log-mels, drawn per crop; 0 switches a part off."""

    warp: float = 0.05
    """Standard deviation of a logarithmic frequency warp: other vocal tracts."""
    colour: float = 0.4
    """Standard deviation in nats of power of a smooth curve over the bands: other microphones."""
    expansion: tuple[float, float] = (0.4, 2.0)
    """Ratio of a downward expander, drawn log-uniformly: rooms with less noise or with more."""
    threshold: float = -2.0
    """Level below which the expander works, nats of power relative to the running mean."""

    def __post_init__(self) -> None:
        """Raise `ValueError` if nothing can be drawn."""
        low, high = self.expansion
        if not 0 < low <= high:
            raise ValueError(f"expansion = {self.expansion}: must be (lowest, highest), above 0")
        if self.warp < 0 or self.colour < 0:
            raise ValueError(f"warp = {self.warp}, colour = {self.colour}: must be 0 or more")

    def __call__(self, features: Tensor, config: StudentConfig, rng: np.random.Generator) -> Tensor:
        """Return ``features`` ``[B, mels, 1, F]`` with changes drawn for each crop."""
        batch, bands = features.shape[:2]
        centres = mel_points(config.mels + 2, 0.0, config.sample_rate / 2)[1:-1].numpy()
        places, knots = np.arange(bands), np.linspace(0, bands - 1, KNOTS)
        moves, curves = np.empty((batch, bands, bands)), np.empty((batch, bands))
        low, high = self.expansion
        ratios = low * (high / low) ** rng.random(batch)
        for row in range(batch):
            moves[row] = warp_matrix(np.exp(self.warp * rng.standard_normal()), centres)
            curves[row] = np.interp(places, knots, self.colour * rng.standard_normal(KNOTS))
        matrix, curve, ratio = (torch.from_numpy(x).to(features) for x in (moves, curves, ratios))
        soft = (features - self.threshold).clamp(max=0)
        features = features + (ratio - 1)[:, None, None, None] * soft
        augmented = torch.einsum("bmn,bnif->bmif", matrix, features) + curve[:, :, None, None]
        return augmented.clamp_min(config.input_floor)

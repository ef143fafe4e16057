"""Random voice perturbation: a different pitch, vocal-tract length and breathiness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from edge_vc.augmentation.acoustic_augment import Range
from edge_vc.augmentation.vocoder_perturbation import VoiceParameters, perturb_voices

FEWEST_VOICED = 10
"""Number of voiced frames up to which a recording's mean F0 is not trusted."""
_USUAL_HZ = 150.0


@dataclass(frozen=True)
class VoiceRanges:
    """Ranges that voices are drawn from."""

    f0_hz: Range = (75.0, 290.0)
    """Mean F0, drawn log-uniformly."""
    f0_range: Range = (0.6, 1.5)
    """Scale of the log-F0 excursions."""
    warp: Range = (0.75, 1.3)
    """Limits of the warp of formants."""
    warp_slope: float = 0.18
    """How the warp depends on pitch: ``exp(slope * ln(new / old))``."""
    warp_spread: float = 0.09
    """Standard deviation of the log warp around that."""
    breath_hz: Range = (3000.0, 7000.0)
    """Frequency above which voiced frames are noise."""

    def draw(self, mean_log_f0: float, rng: np.random.Generator) -> VoiceParameters:
        """Return a one-row voice for a recording whose mean log F0 is ``mean_log_f0``."""
        median = float(np.exp(rng.uniform(*np.log(self.f0_hz))))
        centre = self.warp_slope * (np.log(median) - mean_log_f0)
        warp = float(np.clip(np.exp(rng.normal(centre, self.warp_spread)), *self.warp))
        numbers = (median, rng.uniform(*self.f0_range), warp, rng.uniform(*self.breath_hz))
        return VoiceParameters(*torch.tensor(numbers, dtype=torch.float32)[:, None])


def perturbed_randomly(
    audio: NDArray[np.float32],
    f0: NDArray[np.float32],
    ranges: VoiceRanges,
    rng: np.random.Generator,
    rate: int,
) -> NDArray[np.float32]:
    """Return ``audio`` ``[F * hop]`` with F0 ``f0`` ``[F]`` in a random voice from ``ranges``.

    Hops are the `frame_hop` of ``rate``, in Hz.
    """
    old = mean_log_f0(f0)
    voice = ranges.draw(old, rng)
    noise = torch.from_numpy(rng.standard_normal((1, len(audio)), np.float32))
    mean = torch.tensor([old], dtype=torch.float32)
    made = perturb_voices(
        torch.from_numpy(audio)[None], torch.from_numpy(f0)[None], mean, voice, noise, rate
    )
    spoken: NDArray[np.float32] = made[0].numpy()
    return spoken


def mean_log_f0(f0: NDArray[np.float32], usual: float = float(np.log(_USUAL_HZ))) -> float:
    """Return the mean log F0 over voiced frames of ``f0`` ``[F]``; ``usual`` if too few."""
    voiced = f0[f0 > 0]
    return float(np.log(voiced).mean()) if len(voiced) > FEWEST_VOICED else usual

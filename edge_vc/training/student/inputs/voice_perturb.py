"""Section ``[voice_perturb]``: random voice perturbation of a student's training input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_vc.audio.io import Samples
from edge_vc.audio.pitch import frame_hop, mid_frame_f0
from edge_vc.augmentation.random_voice import VoiceRanges, perturbed_randomly
from edge_vc.settings.field import RecipeError, number

_SAME_INTONATION = (1.0, 1.0)
"""Labels keep the recording's intonation, so the input must keep it too."""


@dataclass(frozen=True)
class VoicePerturbSettings:
    """Random voices besides the speakers' own; labels stay those of the unperturbed recordings."""

    share: float = number(0.0, 0.0, 1.0)
    """Share of the segments whose input has a perturbed voice; 0: none."""
    copies: int = number(2, 1, 8, "copies")
    """Perturbed copies of every recording, computed once before training."""
    lowest_hz: float = number(75.0, 50.0, 500.0, "Hz")
    """Lowest mean F0 of a perturbed voice."""
    highest_hz: float = number(290.0, 50.0, 500.0, "Hz")
    """Highest mean F0 of a perturbed voice."""
    warp: float = number(0.09, 0.0, 0.5)
    """Standard deviation of the log formant warp around the usual one for a voice of that pitch."""

    def __post_init__(self) -> None:
        """Raise `RecipeError` if no voice can be drawn."""
        if self.lowest_hz > self.highest_hz:
            raise RecipeError(
                f"lowest_hz = {self.lowest_hz:g}: is above highest_hz = {self.highest_hz:g}"
            )


class VoicePerturbation:
    """Makes copies of each recording in random voices, the same ones each time."""

    def __init__(self, settings: VoicePerturbSettings, sample_rate: int) -> None:
        self.share, self._copies, self._rate = settings.share, settings.copies, sample_rate
        self._ranges = VoiceRanges(
            (settings.lowest_hz, settings.highest_hz),
            _SAME_INTONATION,
            warp_spread=settings.warp,
        )

    def copies(self, source: Samples, index: int) -> list[Samples]:
        """Return the copies of recording number ``index`` ``[T]``, within full scale."""
        hop = frame_hop(self._rate)
        whole = np.pad(source, (0, -len(source) % hop))
        f0 = mid_frame_f0(whole, self._rate, hop)
        drawn = (np.random.default_rng([index, copy]) for copy in range(self._copies))
        made = (perturbed_randomly(whole, f0, self._ranges, rng, self._rate) for rng in drawn)
        return [np.clip(copy[: len(source)], -1.0, 1.0) for copy in made]

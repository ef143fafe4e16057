"""Views of a recording: natural or voice-perturbed, clean or with noise and reverberation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.level import normalize_level
from edge_vc.augmentation.noise_bank import NoiseBank
from edge_vc.augmentation.random_voice import perturbed_randomly
from edge_vc.data.pair_set import SAMPLE_RATE, TARGET_DB, PairSet
from edge_vc.training.voice.settings import ViewSettings

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class ViewPlace:
    """Identifies a view among those of a recording."""

    index: int

    @property
    def perturbed(self) -> bool:
        """Whether the voice is perturbed: every other one."""
        return self.index % 2 == 1

    @property
    def clean(self) -> bool:
        """Whether it has neither noise nor reverberation: the first two."""
        return self.index < 2


def view_places(settings: ViewSettings) -> list[ViewPlace]:
    """Return the views of every recording, alternately natural and perturbed."""
    return [ViewPlace(index) for index in range(2 * settings.copies)]


def make_view(pair: PairSet, place: ViewPlace, settings: ViewSettings, noises: NoiseBank) -> Audio:
    """Return a view ``[F * HOP]`` of a recording, seeded by its name and the view's index."""
    digest = hashlib.sha256(f"{pair.speaker}:{pair.name}:{place.index}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "little"))
    audio = pair.source.astype(np.float32) / np.float32(32767)
    if place.perturbed:
        audio = perturbed_randomly(audio, pair.f0, settings, rng, SAMPLE_RATE)
    if not place.clean:
        audio = settings.acoustics.apply(audio, noises, rng)
    return np.clip(normalize_level(audio, SAMPLE_RATE, TARGET_DB), -1.0, 1.0)

"""Views of a recording: as it is or in another voice, clean or as a room and a street have it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from edge_vc.audio.level import normalize_level
from edge_vc.augmentation.noise_bank import NoiseBank
from edge_vc.augmentation.revoicing import VoiceParameters, revoice
from edge_vc.data.pair_set import SAMPLE_RATE, TARGET_DB, PairSet
from edge_vc.training.voice.settings import ViewSettings

Audio = NDArray[np.float32]
FEWEST_VOICED = 10
"""Frames below which a recording's mean F0 is not trusted."""
_USUAL_HZ = 150.0


@dataclass(frozen=True)
class ViewPlace:
    """Which view it is among those of a recording."""

    index: int

    @property
    def revoiced(self) -> bool:
        """Whether it is in another voice: every other one."""
        return self.index % 2 == 1

    @property
    def clean(self) -> bool:
        """Whether nothing else was done to it: the first two."""
        return self.index < 2


def view_places(settings: ViewSettings) -> list[ViewPlace]:
    """Return the views of every recording, natural and revoiced ones in turn."""
    return [ViewPlace(index) for index in range(2 * settings.copies)]


def make_view(pair: PairSet, place: ViewPlace, settings: ViewSettings, noises: NoiseBank) -> Audio:
    """Return a view ``[F * HOP]`` of a recording, drawn by its name and the view's place."""
    digest = hashlib.sha256(f"{pair.speaker}:{pair.name}:{place.index}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "little"))
    audio = pair.source.astype(np.float32) / np.float32(32767)
    if place.revoiced:
        audio = _revoiced(audio, pair.f0, settings, rng)
    if not place.clean:
        audio = settings.disturbances.heard(audio, noises, rng)
    return np.clip(normalize_level(audio, SAMPLE_RATE, TARGET_DB), -1.0, 1.0)


def mean_log_f0(f0: NDArray[np.float32], usual: float = float(np.log(_USUAL_HZ))) -> float:
    """Return the mean log F0 over the voiced frames of ``f0`` ``[F]``; ``usual`` of too few."""
    voiced = f0[f0 > 0]
    return float(np.log(voiced).mean()) if len(voiced) > FEWEST_VOICED else usual


def _revoiced(
    audio: Audio, f0: NDArray[np.float32], settings: ViewSettings, rng: np.random.Generator
) -> Audio:
    old = mean_log_f0(f0)
    median = float(np.exp(rng.uniform(*np.log(settings.f0_hz))))
    centre = settings.warp_slope * (np.log(median) - old)
    warp = float(np.clip(np.exp(rng.normal(centre, settings.warp_spread)), *settings.warp))
    numbers = (median, rng.uniform(*settings.f0_range), warp, rng.uniform(*settings.breath_hz))
    voice = VoiceParameters(*torch.tensor(numbers, dtype=torch.float32)[:, None])
    noise = torch.from_numpy(rng.standard_normal((1, len(audio)), np.float32))
    made = revoice(
        torch.from_numpy(audio)[None],
        torch.from_numpy(f0)[None],
        torch.tensor([old], dtype=torch.float32),
        voice,
        noise,
        SAMPLE_RATE,
    )
    spoken: Audio = made[0].numpy()
    return spoken

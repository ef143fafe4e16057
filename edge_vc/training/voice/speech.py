"""The recordings that a voice is trained on, with their features, and crops of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_vc.augmentation.random_voice import mean_log_f0
from edge_vc.data.pair_set import HOP, PairSet
from edge_vc.settings.field import RecipeError
from edge_vc.training.voice.features import ViewFeatures
from edge_vc.training.voice.neighbours import FrameBank, Neighbours, cached_neighbours
from edge_vc.training.voice.settings import VoiceSettings
from edge_vc.training.voice.views import ViewPlace
from edge_vc.workers.progress import Progress, no_progress


@dataclass(frozen=True)
class VoiceBatch:
    """``B`` crops of ``F`` frames: the inputs of the network and its target."""

    contents: Tensor
    """``[B, F / frames_per_content, width]``"""
    f0: Tensor
    """``[B, F]`` in Hz, 0 where unvoiced."""
    mean_log_f0: Tensor
    """``[B]``, over the whole recording."""
    loudness: Tensor
    """``[B, F]``"""
    noise: Tensor
    """``[B, F * HOP]`` of unit power."""
    truth: Tensor
    """``[B, F * HOP]``"""


@dataclass(frozen=True)
class SpokenRecording:
    """One recording of ``F`` frames with the features of its views."""

    pair: PairSet
    features: ViewFeatures
    neighbours: Neighbours
    """``[V, F / frames_per_content, neighbours]``: indices into the bank."""
    mean_log_f0: float

    @property
    def frames(self) -> int:
        """Number of 10 ms frames."""
        return int(self.features.loudness.shape[1])


class VoiceSpeech:
    """Recordings of one voice; crops are drawn by seed and step, identically on any machine."""

    def __init__(
        self,
        pairs: Sequence[PairSet],
        features: Sequence[ViewFeatures],
        settings: VoiceSettings,
        cache: Path,
        progress: Progress = no_progress,
    ) -> None:
        """Search neighbours, cached under ``cache``.

        Held-out ``pairs`` come last: they are neither drawn nor searched. Raises `RecipeError`
        if no recording is as long as a crop.
        """
        self.settings = settings
        train = [f for p, f in zip(pairs, features, strict=True) if not p.held_out]
        self.bank = FrameBank([found.contents[0] for found in train], settings.bank_frames)
        views = [found.contents for found in features]
        count = settings.network.neighbours
        near = cached_neighbours(self.bank, views, count, cache, progress)
        voiced = np.concatenate([pair.f0 for pair in pairs])
        self.mean_log_f0 = mean_log_f0(voiced)
        spoken = [
            SpokenRecording(pair, found, indices, mean_log_f0(pair.f0, self.mean_log_f0))
            for pair, found, indices in zip(pairs, features, near, strict=True)
        ]
        self.recordings, self.held_out = spoken[: len(train)], spoken[len(train) :]
        lengths = np.array(
            [r.frames if r.frames >= settings.frames else 0 for r in self.recordings]
        )
        if not lengths.any():
            raise RecipeError(
                f"no recording is {settings.frames / 100:.2f} s long, the length of a crop; give "
                "longer ones"
            )
        self._shares = lengths / lengths.sum()

    def draw(self, step: int) -> VoiceBatch:
        """Return the crops of a step."""
        settings = self.settings
        rng = np.random.default_rng([settings.seed, step])
        crops = [self._crop(rng) for _ in range(settings.crops)]
        columns = [torch.from_numpy(np.stack(column)) for column in zip(*crops, strict=True)]
        contents, f0, mean, loudness, truth = columns
        noise = torch.from_numpy(rng.standard_normal(truth.shape, np.float32))
        return VoiceBatch(contents, f0, mean, loudness, noise, truth)

    def _crop(self, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        settings, ratio = self.settings, self.settings.network.frames_per_content
        recording = self.recordings[int(rng.choice(len(self._shares), p=self._shares))]
        spare = (recording.frames - settings.frames) // ratio
        start = ratio * int(rng.integers(0, spare + 1))
        view = self._view(rng, len(recording.features.loudness))
        frames = slice(start, start + settings.frames)
        content = slice(start // ratio, (start + settings.frames) // ratio)
        share = float(rng.choice(settings.retrievals))
        spread = np.float32(rng.normal(0.0, settings.loudness_spread))
        truth = recording.pair.target[frames.start * HOP : frames.stop * HOP]
        return (
            self.contents(recording, view, content, share),
            recording.pair.f0[frames],
            np.array(recording.mean_log_f0, np.float32),
            recording.features.loudness[view, frames] + spread,
            truth.astype(np.float32) / np.float32(32767),
        )

    def contents(
        self, recording: SpokenRecording, view: int, frames: slice, share: float
    ) -> NDArray[np.float32]:
        """Return content frames of a view, moved to their neighbours by ``share``, ``[F, W]``."""
        own = recording.features.contents[view, frames].astype(np.float32)
        if not share:
            return own
        near = self.bank.frames[recording.neighbours[view, frames]].astype(np.float32).mean(1)
        mixed: NDArray[np.float32] = own + np.float32(share) * (near - own)
        return mixed

    def _view(self, rng: np.random.Generator, views: int) -> int:
        """Draw a view by the shares of natural and of clean views."""
        natural = rng.random() < self.settings.natural_share
        clean = rng.random() < self.settings.clean_share
        places = [ViewPlace(index) for index in range(views)]
        fitting = [p for p in places if p.perturbed != natural and p.clean == clean]
        fitting = fitting or [p for p in places if p.perturbed != natural]
        return fitting[int(rng.integers(len(fitting)))].index

"""Batches for the teacher: random crops with the voice warped, coloured and made noisy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import librosa
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_vc.data.pairs import HOP, SAMPLE_RATE, PairSet


@dataclass(frozen=True)
class TeacherBatch:
    """One batch of ``B`` crops of ``F`` frames."""

    log_mel: Tensor
    """Augmented input ``[B, bands, F]``."""
    f0: Tensor
    """Target contour ``[B, F]`` in Hz, 0 where unvoiced."""
    mean_log_f0: Tensor
    """``[B]``, over the whole utterance."""
    voice: Tensor
    """Index of the target's speaker ``[B]``."""
    audio: Tensor
    """Target ``[B, F * hop]``."""


class TeacherBatches:
    """Draws crops: ``share`` of them from voice 0, the rest evenly from everybody."""

    def __init__(
        self, pairs: Sequence[PairSet], voices: Sequence[str], frames: int, share: float
    ) -> None:
        kept = [p for p in pairs if len(p.f0) > frames and (p.f0 > 0).sum() > 20]
        self.own = [p for p in kept if p.speaker == voices[0]]
        self.other = [p for p in kept if p.speaker != voices[0]]
        self.index = {voice: i for i, voice in enumerate(voices)}
        self.frames = frames
        self.share = share if self.other else 1.0
        self._own_weights = _by_length(self.own)
        self._other_weights = _by_length(self.other)
        self._warps = [warp_matrix(w, 80) for w in WARPS]

    def draw(self, count: int, rng: np.random.Generator) -> TeacherBatch:
        """Draw ``count`` crops."""
        rows = [self._crop(rng) for _ in range(count)]
        log_mels, f0s, means, voices, audios = zip(*rows, strict=True)
        return TeacherBatch(
            torch.from_numpy(np.stack(log_mels)),
            torch.from_numpy(np.stack(f0s)),
            torch.tensor(means, dtype=torch.float32),
            torch.tensor(voices),
            torch.from_numpy(np.stack(audios)),
        )

    def _crop(
        self, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], float, int, NDArray[np.float32]]:
        own = rng.random() < self.share
        pool, weights = (self.own, self._own_weights) if own else (self.other, self._other_weights)
        pair = pool[int(np.searchsorted(weights, rng.random()))]
        start = int(rng.integers(0, len(pair.f0) - self.frames))
        stop = start + self.frames
        variant = int(rng.integers(0, len(pair.log_mels)))
        log_mel = pair.log_mels[variant, :, start:stop].astype(np.float32)
        # The untouched recording gets the full range of warps: natural speech in other voices.
        spread = 0.12 if variant == 0 else 0.05
        log_mel = self._augment(log_mel, spread, rng)
        voiced = pair.f0 > 0
        mean = float(np.log(pair.f0[voiced]).mean())
        audio = pair.audio[start * HOP : stop * HOP].astype(np.float32) / np.float32(32767)
        return log_mel, pair.f0[start:stop], mean, self.index[pair.speaker], audio

    def _augment(
        self, log_mel: NDArray[np.float32], spread: float, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        warp = rng.normal(0, spread)
        nearest = int(np.argmin(np.abs(np.log(WARPS) - warp)))
        warped: NDArray[np.floating] = self._warps[nearest] @ log_mel
        bands = warped.shape[0]
        knots = np.linspace(0, bands - 1, 6)
        colour = np.interp(np.arange(bands), knots, rng.normal(0, 0.25, 6))
        warped = warped + colour[:, None] + rng.normal(0, 0.15)
        if rng.random() < 0.4:
            floor = rng.uniform(-6.0, -2.0) + np.interp(
                np.arange(bands), knots, rng.normal(0, 0.5, 6)
            )
            hiss = floor[:, None] + rng.normal(0, 0.3, warped.shape)
            warped = np.logaddexp(warped, hiss)
        return warped.astype(np.float32)


WARPS = np.exp(np.linspace(-0.3, 0.3, 41))
"""Frequency warps on offer; a formant at ``f`` moves to ``f * warp``."""


def warp_matrix(warp: float, bands: int) -> NDArray[np.float32]:
    """Return ``[bands, bands]`` that moves log-mel bands as a warp of the frequency axis would."""
    centres = librosa.mel_frequencies(bands + 2, fmin=0, fmax=SAMPLE_RATE / 2)[1:-1]
    position = np.interp(centres / warp, centres, np.arange(bands))
    below = np.minimum(position.astype(int), bands - 2)
    part = position - below
    matrix = np.zeros((bands, bands), np.float32)
    matrix[np.arange(bands), below] = 1 - part
    matrix[np.arange(bands), below + 1] += part
    return matrix


def _by_length(pairs: Sequence[PairSet]) -> NDArray[np.float64]:
    lengths = np.cumsum([len(p.f0) for p in pairs], dtype=np.float64)
    return lengths / lengths[-1] if len(lengths) else lengths

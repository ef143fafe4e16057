"""What teachers of our own networks have in common: levels, pitch, chunks, silence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from edge_vc.audio.io import AudioError, Samples
from edge_vc.audio.level import normalize_level
from edge_vc.audio.pitch import Contour, track_pitch

INPUT_DB = -23.0
"""Level of active speech that a network is given, dBFS."""
CHUNK_FRAMES = 2000
"""Frames converted at once, besides their context."""
QUIET = 1e-4
"""Peak below which a recording is silence."""


@dataclass(frozen=True)
class DefaultLabels:
    """A converted recording of ``F`` frames and what a student can learn from inside."""

    audio: Samples
    """``[T]``, as long as the input."""
    f0: Contour
    """F0 of the converted voice in Hz at the middle of each hop, 0 where unvoiced, ``[F]``."""
    bands: np.ndarray[Any, np.dtype[np.float32]]
    """Harmonic log-magnitude, phase and noise log-magnitude, ``[3 * bands, F]``; none, ``[0, F]``,
    of a head without filters."""
    contents: np.ndarray[Any, np.dtype[np.float32]]
    """What is said in each frame, as the decoder was told, ``[C, F]``."""


@dataclass(frozen=True)
class Inside:
    """What a network drives its head with, ``F`` frames and more."""

    bands: Tensor
    """``[1, 3 * bands, F]``"""
    contents: Tensor
    """``[C, F]``"""
    filters: bool = True
    """Whether ``bands`` are filters that a student can learn."""


class NetworkTeacher(ABC):
    """Converts mono speech ``[T]`` offline; deterministic."""

    sample_rate: int
    """Rate of input and output in Hz."""
    hop: int
    """Samples per frame."""
    target_log_f0: float
    """Mean log F0 of the target, to which the speaker's is moved."""
    block: int
    """Samples of which the network takes whole numbers; whole hops."""

    @abstractmethod
    def inside(self, audio: Tensor, f0: Tensor) -> Inside:
        """Return what the head is driven with for ``audio`` ``[T]``, in whole blocks.

        ``f0`` ``[1, F]`` is in Hz.
        """

    @abstractmethod
    def speak(self, bands: Tensor, f0: Tensor, noise: Tensor) -> Tensor:
        """Return the head's waveform ``[1, T]``."""

    def convert(self, audio: Samples) -> Samples:
        """Convert ``audio`` ``[T]`` at `sample_rate`; the result is time-aligned, ``[T]``."""
        return self.label(audio).audio

    @torch.no_grad()
    def label(self, audio: Samples) -> DefaultLabels:
        """Convert and return what the head was driven with as well."""
        hop = self.hop
        if audio.ndim != 1 or len(audio) < hop:
            raise AudioError(f"a teacher converts mono of {hop} samples or more: {audio.shape}")
        levelled = normalize_level(audio, self.sample_rate, INPUT_DB)
        padded = np.pad(levelled, (0, -len(audio) % self.block))
        f0 = target_pitch(padded, self.sample_rate, hop, self.target_log_f0)
        contour = torch.from_numpy(f0)[None]
        found = self.inside(torch.from_numpy(padded), contour)
        noise = torch.randn(1, len(padded), generator=torch.Generator().manual_seed(0))
        speech = self.speak(found.bands, contour, noise)[0].numpy()
        # Silence in is silence out: the network was never shown any and would breathe.
        quiet = float(np.abs(audio).max()) < QUIET
        speech = np.zeros_like(speech) if quiet else speech
        frames = -(-len(audio) // hop)
        bands = found.bands[0, :, :frames] if found.filters else found.bands[0, :0, :frames]
        return DefaultLabels(
            speech[: len(audio)], f0[:frames], bands.numpy(), found.contents[:, :frames].numpy()
        )


def chunks(frames: int, context: int) -> Iterator[tuple[int, int, slice]]:
    """Yield where to cut ``frames``, so that memory stays linear in length.

    First and last frame of each chunk with its context, and which of its frames are kept.
    """
    for start in range(0, frames, CHUNK_FRAMES):
        low, high = max(0, start - context), min(frames, start + CHUNK_FRAMES + context)
        yield low, high, slice(start - low, start - low + CHUNK_FRAMES)


def target_pitch(audio: Samples, sample_rate: int, hop: int, target_log_f0: float) -> Contour:
    """Track F0 at the middle of each hop of ``[T]`` and move its mean to ``target_log_f0``.

    Returns Hz, 0 where unvoiced, ``[T // hop]``.
    """
    f0 = track_pitch(audio, sample_rate, hop // 2).f0[1::2][: len(audio) // hop]
    voiced = f0 > 0
    if voiced.any():
        shift = target_log_f0 - np.log(f0[voiced]).mean()
        f0[voiced] = np.clip(f0[voiced] * np.exp(shift), 60.0, 500.0)
    return f0

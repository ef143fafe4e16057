"""What a voice learns from: a recording, its pitch, and what it should sound like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.denoise import denoise
from edge_vc.audio.level import normalize_level

HOP = 160
SAMPLE_RATE = 16_000
TARGET_DB = -23.0
"""Level of the active speech of sources and targets, dBFS."""


@dataclass(frozen=True)
class PairSet:
    """One recording as it is and as it should sound; frames are `HOP` samples."""

    speaker: str
    name: str
    """Of the recording, unique within its speaker's."""
    f0: NDArray[np.float32]
    """F0 of the recording in Hz at the middle of each hop, 0 where unvoiced, ``[F]``."""
    target: NDArray[np.int16]
    """The recording levelled and denoised, ``[F * HOP]``."""
    source: NDArray[np.int16]
    """The recording as it is, levelled, ``[F * HOP]``."""
    held_out: bool = False
    """Whether it is used for validation and audio samples only."""


def as_int16(audio: NDArray[np.floating], frames: int) -> NDArray[np.int16]:
    """Return ``[frames * HOP]`` of 16 bits: ``audio`` cut or followed by silence, clipped."""
    samples = np.round(np.clip(audio[: frames * HOP], -1.0, 1.0) * 32767).astype(np.int16)
    return np.pad(samples, (0, frames * HOP - len(samples)))


def cleaned(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what a network is to imitate of a levelled recording ``[T]``: with less noise."""
    return normalize_level(denoise(audio, SAMPLE_RATE), SAMPLE_RATE, TARGET_DB)

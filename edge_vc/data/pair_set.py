"""What a voice is trained on: a recording, its pitch, and the target audio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.denoise import denoise
from edge_vc.audio.level import normalize_level

HOP = 160
SAMPLE_RATE = 16_000
TARGET_DB = -23.0
"""Level of active speech in sources and targets, dBFS."""


@dataclass(frozen=True)
class PairSet:
    """One recording as it is and as it should sound; frames are `HOP` samples."""

    speaker: str
    name: str
    """Name of the recording, unique within its speaker's."""
    f0: NDArray[np.float32]
    """F0 of the recording in Hz at the middle of each hop, 0 where unvoiced, ``[F]``."""
    target: NDArray[np.int16]
    """The recording, levelled and denoised, ``[F * HOP]``."""
    source: NDArray[np.int16]
    """The recording, levelled only, ``[F * HOP]``."""
    held_out: bool = False
    """Whether it is used only for validation and audio samples."""


def as_int16(audio: NDArray[np.floating], frames: int) -> NDArray[np.int16]:
    """Return ``audio`` as 16 bits ``[frames * HOP]``: cut or padded with silence, clipped."""
    samples = np.round(np.clip(audio[: frames * HOP], -1.0, 1.0) * 32767).astype(np.int16)
    return np.pad(samples, (0, frames * HOP - len(samples)))


def cleaned(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a network's training target for a levelled recording ``[T]``: with less noise."""
    return normalize_level(denoise(audio, SAMPLE_RATE), SAMPLE_RATE, TARGET_DB)

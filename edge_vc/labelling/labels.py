"""Recordings labelled by a teacher: what a student is distilled from."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples

HOP = 160
INPUT_DB = -23.0


@dataclass(frozen=True)
class LabelledAudio:
    """One training example of ``F`` hops."""

    source: NDArray[np.int16]
    """``[F * hop]``"""
    target: NDArray[np.int16]
    """The teacher's answer, aligned, ``[F * hop]``."""
    f0: NDArray[np.float32]
    """F0 of the answer in Hz at the middle of each hop, 0 where unvoiced, ``[F]``."""
    bands: NDArray[np.float16]
    """The teacher's filter bands ``[3 * bands, F]``; ``[0, F]`` from a teacher without any."""


def to_int16(audio: Samples) -> NDArray[np.int16]:
    """Return ``[T]`` as 16-bit samples, clipped at full scale."""
    return np.round(np.clip(audio, -1, 1) * 32767).astype(np.int16)


def pack_labels(labels: LabelledAudio) -> bytes:
    """Return the content of an ``.npz`` file that `load_labels` reads."""
    file = io.BytesIO()
    np.savez(file, source=labels.source, target=labels.target, f0=labels.f0, bands=labels.bands)
    return file.getvalue()


def load_labels(path: Path) -> LabelledAudio:
    """Read what a label job stored."""
    with np.load(path, allow_pickle=False) as stored:
        return LabelledAudio(stored["source"], stored["target"], stored["f0"], stored["bands"])

"""Something like speech, and recordings of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 16000
Audio = NDArray[np.float32]


def voice(seconds: float = 2.0, f0: float = 120.0, seed: int = 0, rate: int = RATE) -> Audio:
    """A gliding harmonic tone in syllables of varied length and loudness, with breath."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(f0 * (1 + 0.1 * np.sin(4 * t + seed))) / rate
    tone = sum(np.sin(k * phase) / k for k in range(1, 16))
    knots = np.linspace(0, seconds, round(8 * seconds))
    loudness = np.interp(t, knots, rng.random(len(knots)) * (rng.random(len(knots)) > 0.3))
    return (0.15 * tone * loudness + 0.002 * rng.standard_normal(len(t))).astype(np.float32)


def record(folder: Path, count: int = 3, seconds: float = 2.0) -> Path:
    """A corpus of ``count`` recordings."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        audio = voice(seconds + 0.1 * seed, 100.0 + 20 * seed, seed)
        soundfile.write(folder / f"{seed:02d}.wav", audio, RATE)
    return folder

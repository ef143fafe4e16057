"""Small speech-like recordings for training tests."""

from __future__ import annotations

import numpy as np

from edge_vc.data.pair_set import PairSet


def pair(speaker: str, seed: int, frames: int = 80, held_out: bool = False) -> PairSet:
    """A buzz at a pitch of its own with a little noise, in two variants."""
    rng = np.random.default_rng(seed)
    f0 = np.full(frames, 120.0 + 10 * (seed % 10), np.float32)
    f0[:10] = 0
    time = np.arange(frames * 160) / 16000
    buzz = sum(np.sin(2 * np.pi * f0[-1] * k * time) / k for k in range(1, 20))
    target = 1500 * buzz + 100 * rng.standard_normal(len(time))
    target[:1600] *= 0.05
    inputs = np.stack([target, target + 200 * rng.standard_normal(len(time))])
    return PairSet(
        speaker, f"{speaker}-{seed}", f0, target.astype(np.int16), inputs.astype(np.int16), held_out
    )

"""Small speech-like recordings for training tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge_vc.data.pair_set import PairSet
from edge_vc.training.student.phones import PHONES, UNKNOWN


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


def listened(given: PairSet) -> PairSet:
    """The same with phones that can be told apart: silence, then a vowel; its end is not known."""
    phones = np.where(given.f0 > 0, PHONES.index("AA"), PHONES.index("SIL")).astype(np.int8)
    phones[-5:] = UNKNOWN
    return replace(given, phones=phones)


def pairs() -> list[PairSet]:
    """Two speakers to train on, and a held-out sentence of the first and of a third."""
    own = [pair("me", s) for s in range(4)]
    others = [pair("you", s) for s in range(90, 93)]
    return [*own, *others, pair("me", 50, held_out=True), pair("other", 51, held_out=True)]

"""The eleventh invariant for what adapts around a model: one event is forgotten in two seconds."""

from __future__ import annotations

import numpy as np
import pytest
from chain_signals import Audio, DelayConverter, fan, keyboard, level_db
from voices import voice

from edge_vc_runtime.chain.chain import Chain
from edge_vc_runtime.chain.parameters import Parameters

RATE, HOP = 16000, 160
ALONE = ({"gate": 1.0}, {"level_follow": 1.0}, {"noise_reduction": 1.0}, {})
"""Each adaptive stage by itself; the limiter, the input guard and the high-pass always work."""
ALL: dict[str, float] = {"gate": 1.0, "level_follow": 1.0, "noise_reduction": 1.0}


class Saturating(DelayConverter):
    """A model whose voice is never loud: what is loud in comes out 12 dB softer than speech."""

    def step(self, audio: Audio) -> Audio:
        return super().step(np.tanh(4 * audio) / 4)


def ordinary() -> Audio:
    """Five seconds of speech in a quiet room."""
    return voice(5.0, seed=4) + fan(5.0, -70.0)


def knocks() -> Audio:
    bangs = np.random.default_rng(0).uniform(-1, 1, 3 * RATE).astype(np.float32)
    return bangs * (np.arange(3 * RATE) % (RATE // 2) < RATE // 10)


EVENTS = {
    "a bang": np.sign(np.sin(0.2 * np.arange(RATE // 10))).astype(np.float32),
    "six knocks": knocks(),
    "a second of noise": np.random.default_rng(1).uniform(-1, 1, RATE).astype(np.float32),
    "ten seconds of shouting": np.clip(voice(10.0, seed=5) * 40, -1, 1),
    "ten seconds of keys": keyboard(10.0, 1.0),
}


def converted(after: Audio, parameters: dict[str, float], gain: float) -> Audio:
    """What comes out for `ordinary` speech after something else."""
    chain = Chain(Saturating(gain=gain), Parameters(parameters), None, 0.0)
    audio = np.concatenate([after, ordinary()])
    whole = len(audio) // HOP * HOP
    out = np.concatenate([chain.step(hop).copy() for hop in audio[:whole].reshape(-1, HOP)])
    return out[len(after) + chain.delay :]


slow = pytest.mark.slow


@pytest.mark.parametrize("gain", [1.0, pytest.param(4.0, marks=slow)], ids=["level", "louder"])
@pytest.mark.parametrize(
    "parameters",
    [*(pytest.param(alone, marks=slow) for alone in ALONE), ALL],
    ids=lambda p: " ".join(p) or "limiter",
)
@pytest.mark.parametrize("event", EVENTS)
def test_speech_is_as_loud_as_ever_two_seconds_later(
    event: str, parameters: dict[str, float], gain: float
) -> None:
    usual = converted(np.zeros(RATE, np.float32), parameters, gain)
    found = converted(EVENTS[event], parameters, gain)
    for start in (2, 3, 4):
        part = slice(start * RATE, (start + 1) * RATE - RATE // 10)
        assert abs(level_db(found[part]) - level_db(usual[part])) < 3.0, start

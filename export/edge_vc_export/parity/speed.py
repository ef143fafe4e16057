"""Which of several models is faster: measured in turns, since no two minutes are alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc_runtime.profiling.pacing import run_paced, run_tight
from edge_vc_runtime.session import Session


@dataclass(frozen=True)
class Ratio:
    """How many times as fast one contender is as another, over all rounds of a race."""

    median: float
    low: float
    """Lower quartile of the rounds."""
    high: float
    """Upper quartile."""


def race(
    sessions: Mapping[str, Session],
    hops: Samples,
    *,
    rounds: int = 40,
    steps: int = 25,
    warmup: int = 50,
    settle: int = 3,
    paced: bool = False,
) -> dict[str, NDArray[np.int64]]:
    """Let every session step in turns; return durations ``[rounds, steps]`` in ns by name.

    ``hops`` ``[N, hop]`` are gone round in. Each round begins with another contender, so none
    always follows the same one. Every turn's first ``settle`` steps are not counted: they find
    the caches full of the contender before.
    """
    took = {name: np.zeros((rounds, steps), np.int64) for name in sessions}
    for session in sessions.values():
        run_tight(session, hops, warmup)
    names = list(sessions)
    for turn in range(rounds):
        feed = np.roll(hops, -turn * steps, axis=0)
        for place in range(len(names)):
            name = names[(turn + place) % len(names)]
            session = sessions[name]
            if paced:
                hop_ns = round(session.hop / session.sample_rate * 1e9)
                times, _ = run_paced(session, feed, settle + steps, hop_ns)
            else:
                times = run_tight(session, feed, settle + steps)
            took[name][turn] = times[settle:]
    return took


def ratio(slow: NDArray[np.int64], fast: NDArray[np.int64]) -> Ratio:
    """Compare two contenders of one race round by round, by each round's median."""
    rounds = np.median(slow, axis=1) / np.median(fast, axis=1)
    low, median, high = np.percentile(rounds, (25, 50, 75))
    return Ratio(float(median), float(low), float(high))

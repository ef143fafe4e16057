"""Interleaved benchmark: models are timed in turns, so that machine drift affects all equally."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc_export.formats import FORMATS
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.engines import engines_for
from edge_vc_runtime.profiling.pacing import run_paced, run_tight
from edge_vc_runtime.session import Session

COMPARED_HOPS = 500
"""Hops of speech on which the precisions of a bundle are timed."""


@dataclass(frozen=True)
class Ratio:
    """Speed of one session relative to another, over all rounds of a benchmark."""

    median: float
    low: float
    """Lower quartile of the rounds."""
    high: float
    """Upper quartile."""


def time_interleaved(
    sessions: Mapping[str, Session],
    hops: Samples,
    *,
    rounds: int = 40,
    steps: int = 25,
    warmup: int = 50,
    settle: int = 3,
    paced: bool = False,
) -> dict[str, NDArray[np.int64]]:
    """Step every session in turns; return durations ``[rounds, steps]`` in ns by name.

    ``hops`` ``[N, hop]`` are used cyclically. Each round starts with a different session, so that
    none always follows the same one. The first ``settle`` steps of a turn are not counted: the
    caches still hold the previous session's data. With ``paced``, steps start once per hop
    duration, otherwise back to back.
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
    """Return the speed of ``fast`` relative to ``slow`` ``[rounds, steps]``, by round medians."""
    rounds = np.median(slow, axis=1) / np.median(fast, axis=1)
    low, median, high = np.percentile(rounds, (25, 50, 75))
    return Ratio(float(median), float(low), float(high))


def compare_precisions(bundle: str | Path, speech: Samples) -> dict[str, Ratio]:
    """Time a bundle's INT8 models against its fp32 models, back to back on one thread, by format.

    ``speech`` ``[T]`` is at the bundle's rate. Formats without both precisions are left out.
    """
    manifest = read_bundle(bundle).manifest
    have = {(model.format, model.precision) for model in manifest.models}
    compared = [f for f in FORMATS if {(f, "int8"), (f, "fp32")} <= have]
    sessions = {
        f"{precision}.{format}": Session.open(bundle, kind.name, precision=precision)
        for format in compared
        for kind in engines_for((format,))[:1]
        for precision in ("int8", "fp32")
    }
    if not sessions:
        return {}
    hop = manifest.hop
    count = min(speech.shape[0] // hop, COMPARED_HOPS)
    took = time_interleaved(
        sessions, np.ascontiguousarray(speech[: count * hop]).reshape(count, hop)
    )
    return {f: ratio(took[f"fp32.{f}"], took[f"int8.{f}"]) for f in compared}

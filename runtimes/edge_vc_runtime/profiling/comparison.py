"""Interleaved timing of every engine and precision that can run a bundle on this machine."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.engines.measurement import EngineTiming, Measurement, blank_measurement
from edge_vc_runtime.engines.registry import engines_for
from edge_vc_runtime.profiling.feed import feed_hops
from edge_vc_runtime.profiling.pacing import run_tight
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.session import Session

SECONDS = 0.5
"""Time spent on each engine and precision."""
_TURN_HOPS = 25
_WARM_UP_HOPS = 50


@dataclass(frozen=True)
class Refusal:
    """A model that cannot run here."""

    engine: str
    precision: str
    reason: str


def compare_engines(
    bundle: Bundle, threads: int = 1, seconds: float = SECONDS
) -> tuple[Measurement, tuple[Refusal, ...]]:
    """Time every engine and precision that runs, and return why the others do not.

    Engines are interleaved, so that throttling affects all of them equally. Raises `EngineError` if
    none runs.
    """
    sessions, refusals = _open_all(bundle, threads)
    if not sessions:
        raise EngineError("; ".join(dict.fromkeys(refusal.reason for refusal in refusals)))
    hops, _ = feed_hops(bundle)
    times = _take_turns(sessions, hops, seconds)
    timings = tuple(
        EngineTiming(
            session.selection.engine,
            session.selection.library,
            session.selection.version,
            session.selection.precision,
            us_per_hop=float(np.median(took)) / 1e3,
        )
        for session, took in zip(sessions, times, strict=True)
    )
    blank = blank_measurement(bundle.manifest, threads)
    return replace(blank, timings=timings), tuple(refusals)


def _open_all(bundle: Bundle, threads: int) -> tuple[list[Session], list[Refusal]]:
    sessions: list[Session] = []
    refusals: list[Refusal] = []
    for kind in engines_for({model.format for model in bundle.manifest.models}):
        if kind.absent_by_choice:
            continue
        models = [model for model in bundle.manifest.models if kind.reads(model)]
        for precision in dict.fromkeys(model.precision for model in models):
            try:
                sessions.append(Session.open(bundle, kind.name, threads, precision))
            except EngineError as error:
                refusals.append(Refusal(kind.name, precision, str(error)))
    return sessions, refusals


def _take_turns(sessions: list[Session], hops: Samples, seconds: float) -> list[list[int]]:
    """Return durations of single hops in ns, for each session."""
    for session in sessions:
        run_tight(session, hops, _WARM_UP_HOPS)
    times: list[list[int]] = [[] for _ in sessions]
    end = time.perf_counter() + seconds * len(sessions)
    while not times[0] or time.perf_counter() < end:
        for session, took in zip(sessions, times, strict=True):
            took += run_tight(session, hops, _TURN_HOPS).tolist()
    return times

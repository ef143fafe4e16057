"""Timing a session hop by hop: back to back (tight), or one hop per hop duration (paced)."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.samples import Samples
from edge_vc_runtime.session import Session


def run_tight(
    session: Session, hops: Samples, count: int, tell: Callable[[int], None] | None = None
) -> NDArray[np.int64]:
    """Step back to back and return each step's duration ``[count]`` in ns."""
    took = np.zeros(count, np.int64)
    for index in range(count):
        hop = hops[index % len(hops)]
        begin = time.perf_counter_ns()
        session.step(hop)
        took[index] = time.perf_counter_ns() - begin
        if tell and not index % 100:
            tell(index)
    return took


def run_paced(
    session: Session,
    hops: Samples,
    count: int,
    hop_ns: int,
    tell: Callable[[int], None] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Step once per ``hop_ns``; return durations and start delays, ``[count]`` in ns."""
    took, late = np.zeros(count, np.int64), np.zeros(count, np.int64)
    start = time.perf_counter_ns() + hop_ns
    for index in range(count):
        hop = hops[index % len(hops)]
        due = start + index * hop_ns
        while (wait := due - time.perf_counter_ns()) > 0:
            time.sleep(wait / 1e9)
        begin = time.perf_counter_ns()
        session.step(hop)
        took[index] = time.perf_counter_ns() - begin
        late[index] = begin - due
        if tell and not index % 10:
            tell(index)
    return took, late

"""The golden recording played again: does this machine make of it what the exporter's did?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_vc_runtime.bundle import Bundle
from edge_vc_runtime.session import Session


@dataclass(frozen=True)
class Replay:
    """One precision's answer to the golden recording."""

    precision: str
    difference: float
    """Largest absolute difference from what was recorded."""
    tolerance: float

    @property
    def equal(self) -> bool:
        """Whether the difference is within the bundle's tolerance."""
        return self.difference <= self.tolerance


def replay_golden(bundle: Bundle, engine: str = "auto", threads: int = 1) -> list[Replay]:
    """Run the golden input through every model that it was recorded with.

    Raises `BundleError` when the bundle has no golden recording, `EngineError` like `Session.open`.
    """
    arrays = bundle.golden()
    golden = bundle.manifest.golden
    tolerances = golden.tolerance if golden else {}
    replays = []
    for precision, tolerance in tolerances.items():
        expected = arrays.get(f"output.{precision}")
        if expected is None:
            continue
        session = Session.open(bundle, engine, threads, precision)
        whole = expected.size // session.hop * session.hop
        hops = arrays["input"][:whole].reshape(-1, session.hop)
        difference = 0.0
        for hop, kept in zip(hops, expected[:whole].reshape(-1, session.hop), strict=True):
            off = np.abs(session.step(hop) - kept).max()
            difference = float(np.fmax(difference, off)) if np.isfinite(off) else np.inf
        replays.append(Replay(precision, difference, tolerance))
    return replays

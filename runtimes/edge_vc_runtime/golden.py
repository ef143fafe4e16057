"""Replay of the golden recording, to check that this machine reproduces the exporter's output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.engines.kind import EngineKind
from edge_vc_runtime.engines.registry import engine_kind, engines_for, load_engine
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.session import Session


@dataclass(frozen=True)
class Replay:
    """The output of one engine and precision compared with the golden recording."""

    engine: str
    library: str
    version: str
    precision: str
    tier: str
    difference: float
    """Largest absolute difference from the recorded output."""
    snr_db: float | None
    """Recorded output relative to the difference; None if there is none or it is not finite."""
    tolerance: float

    @property
    def equal(self) -> bool:
        """Whether the difference is within the bundle's tolerance."""
        return self.difference <= self.tolerance


def replay_golden(bundle: Bundle, engine: str = "auto", threads: int = 1) -> list[Replay]:
    """Run the golden input of every tier through every model that it was recorded with.

    ``auto`` uses all installed engines, not only the first. Raises `BundleError` if the bundle has
    no golden recording, `EngineError` if an engine rejects a model or none is installed.
    """
    return [replay for replay, _, _ in played_goldens(bundle, engine, threads)]


def played_goldens(
    bundle: Bundle, engine: str = "auto", threads: int = 1
) -> Iterator[tuple[Replay, Samples, Samples]]:
    """Yield every replay with its output and the recorded one, see `replay_golden`."""
    for name in bundle.manifest.tier_names:
        yield from _play_tier(bundle.tier(name), engine, threads)


def _play_tier(
    bundle: Bundle, engine: str, threads: int
) -> Iterator[tuple[Replay, Samples, Samples]]:
    arrays = bundle.golden()
    golden = bundle.manifest.golden
    tolerances = golden.tolerance if golden else {}
    for kind in _engines(bundle, engine):
        precisions = {m.precision for m in bundle.manifest.models if kind.reads(m)}
        for precision, tolerance in tolerances.items():
            expected = arrays.get(f"output.{precision}")
            if expected is None or precision not in precisions:
                continue
            session = Session.open(bundle, kind.name, threads, precision)
            output, recorded = _replay(session, arrays["input"], expected)
            selection = session.selection
            replay = Replay(
                engine=selection.engine,
                library=selection.library,
                version=selection.version,
                precision=precision,
                tier=bundle.manifest.default_tier,
                difference=_difference(output, recorded),
                snr_db=_snr_db(output, recorded),
                tolerance=tolerance,
            )
            yield replay, output, recorded


def _engines(bundle: Bundle, engine: str) -> list[EngineKind]:
    """Return the installed engines that have a model, or the requested one."""
    if engine != "auto":
        load_engine(engine)
        return [engine_kind(engine)]
    formats = {model.format for model in bundle.manifest.models}
    found, missing = [], []
    for kind in engines_for(formats):
        try:
            load_engine(kind.name)
        except EngineError as error:
            missing.append(str(error))
        else:
            found.append(kind)
    if not found:
        raise EngineError("; ".join(missing))
    return found


def _replay(session: Session, audio: Samples, expected: Samples) -> tuple[Samples, Samples]:
    """Return the session's output and the recorded one, both in whole hops."""
    whole = expected.size // session.hop * session.hop
    hops = audio[:whole].reshape(-1, session.hop)
    made = [session.step(hop).copy() for hop in hops]
    return np.concatenate([*made, np.zeros(0, np.float32)]), expected[:whole]


def _difference(output: Samples, recorded: Samples) -> float:
    """Return the largest absolute difference; infinite if the output is not finite."""
    largest = float(np.abs(output - recorded).max(initial=0.0))
    return largest if np.isfinite(largest) else float("inf")


def _snr_db(output: Samples, recorded: Samples) -> float | None:
    noise = float(np.square(output - recorded, dtype=np.float64).sum())
    signal = float(np.square(recorded, dtype=np.float64).sum())
    if not (np.isfinite(noise) and noise and signal):
        return None
    return float(10 * np.log10(signal / noise))

"""Opening a bundle's students for a live run."""

from __future__ import annotations

from pathlib import Path

from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.session import Session
from edge_vc_runtime.tiers.tiers import TieredConverter


def open_tiers(
    path: str | Path,
    engine: str = "auto",
    threads: int | None = None,
    precision: str | None = None,
    tier: str | None = None,
    alone: bool = False,
) -> TieredConverter:
    """Open every tier of a bundle, starting with the default one; ``tier`` opens only that one.

    ``alone`` opens only the default one. Raises as `Session.open` does.
    """
    bundle = read_bundle(path)
    names = bundle.manifest.tier_names
    if tier is not None or alone:
        names = (tier or names[0],)
    sessions = [Session.open(bundle, engine, threads, precision, name) for name in names]
    return TieredConverter(sessions, start=sessions[0].model.tier)

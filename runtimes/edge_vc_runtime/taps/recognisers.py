"""Speech recognisers by name: PocketSphinx, or another one by an entry point."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType

from edge_vc_runtime.entry_points import register_entry_points
from edge_vc_runtime.taps.error import TapError
from edge_vc_runtime.taps.pocketsphinx_recogniser import PocketSphinxRecogniser
from edge_vc_runtime.taps.recogniser import RecogniserKind

ENTRY_POINTS = "edge_vc.recognisers"
"""Entry point group in which other distributions name their `RecogniserKind`."""

POCKETSPHINX = RecogniserKind(
    "pocketsphinx", "pocketsphinx", "pip install 'edge-vc-runtime[words]'", PocketSphinxRecogniser
)
RECOGNISERS: dict[str, RecogniserKind] = {POCKETSPHINX.name: POCKETSPHINX}
"""Registered recognisers by name."""


def register_recogniser(kind: RecogniserKind) -> None:
    """Add a recogniser; raises `ValueError` when another one has its name."""
    if RECOGNISERS.setdefault(kind.name, kind) is not kind:
        raise ValueError(f"a recogniser {kind.name!r} is registered already, choose another name")


def recogniser_kinds() -> Mapping[str, RecogniserKind]:
    """Return every recogniser by name; reads entry points the first time."""
    register_entry_points(ENTRY_POINTS, register_recogniser)
    return MappingProxyType(RECOGNISERS)


def installed_recogniser(name: str) -> RecogniserKind:
    """Return a recogniser that can be opened; raises `TapError`, one line with the remedy."""
    kind = RECOGNISERS.get(name) or recogniser_kinds().get(name)
    if kind is None:
        raise TapError(f"no recogniser {name!r:.60}, choose from {', '.join(recogniser_kinds())}")
    if find_spec(kind.module) is None:
        raise TapError(f"--tap words needs {kind.module}: {kind.install}")
    return kind

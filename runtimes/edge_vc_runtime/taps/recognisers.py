"""Speech recognisers by name: PocketSphinx, or another one by an entry point."""

from __future__ import annotations

from importlib.util import find_spec

from edge_vc_runtime.registry import Registry
from edge_vc_runtime.taps.error import TapError
from edge_vc_runtime.taps.pocketsphinx_recogniser import PocketSphinxRecogniser
from edge_vc_runtime.taps.recogniser import RecogniserKind

ENTRY_POINTS = "edge_vc.recognisers"
"""Entry point group in which other distributions declare their `RecogniserKind`."""

POCKETSPHINX = RecogniserKind(
    "pocketsphinx", "pocketsphinx", "pip install 'edge-vc-runtime[words]'", PocketSphinxRecogniser
)
RECOGNISERS: Registry[RecogniserKind] = Registry("a recogniser", ENTRY_POINTS, (POCKETSPHINX,))
"""Registered recognisers by name."""
register_recogniser = RECOGNISERS.register
recogniser_kinds = RECOGNISERS.complete


def installed_recogniser(name: str) -> RecogniserKind:
    """Return a recogniser that can be opened; raises `TapError`, one line with the remedy."""
    kind = RECOGNISERS.find(name)
    if kind is None:
        raise TapError(f"no recogniser {name!r:.60}, choose from {', '.join(recogniser_kinds())}")
    if find_spec(kind.module) is None:
        raise TapError(f"--tap words needs {kind.module}: {kind.install}")
    return kind

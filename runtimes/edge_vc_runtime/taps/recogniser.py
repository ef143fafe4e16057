"""Speech recognisers for subtitles: PocketSphinx, or another one by an entry point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType
from typing import Protocol

from edge_vc_runtime.entry_points import register_entry_points
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.taps.error import TapError

ENTRY_POINTS = "edge_vc.recognisers"
"""Entry point group in which other distributions name their `RecogniserKind`."""


@dataclass(frozen=True)
class HeardWord:
    """A word, and when it was said in s from the utterance's beginning."""

    text: str
    start: float
    end: float


class Recogniser(Protocol):
    """Recognises one utterance after another while it is spoken."""

    def begin(self) -> None:
        """Begin an utterance."""

    def feed(self, audio: Samples) -> None:
        """Take ``[T]`` of it at the rate that the recogniser was opened with."""

    def end(self) -> list[HeardWord]:
        """End the utterance and return its words."""


@dataclass(frozen=True)
class RecogniserKind:
    """How to open a recogniser."""

    name: str
    module: str
    """Top-level module that has to be installed."""
    install: str
    """The command that installs it."""
    open: Callable[[int], Recogniser]
    """Opens it for a sample rate in Hz."""


def _open_pocketsphinx(sample_rate: int) -> Recogniser:
    from edge_vc_runtime.taps.pocketsphinx_recogniser import PocketSphinxRecogniser

    return PocketSphinxRecogniser(sample_rate)


POCKETSPHINX = RecogniserKind(
    "pocketsphinx", "pocketsphinx", "pip install 'edge-vc-runtime[words]'", _open_pocketsphinx
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

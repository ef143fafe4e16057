"""What a speech recogniser for subtitles is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge_vc_runtime.samples import Samples


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

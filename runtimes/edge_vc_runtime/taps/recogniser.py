"""The protocol of speech recognisers for subtitles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge_vc_runtime.samples import Samples


@dataclass(frozen=True)
class HeardWord:
    """A word, and its times in s from the beginning of the utterance."""

    text: str
    start: float
    end: float


class Recogniser(Protocol):
    """Recognises one utterance after another while it is spoken."""

    def begin(self) -> None:
        """Begin an utterance."""

    def feed(self, audio: Samples) -> None:
        """Take ``[T]`` of the utterance at the rate for which the recogniser was opened."""

    def end(self) -> list[HeardWord]:
        """End the utterance and return its words."""


@dataclass(frozen=True)
class RecogniserKind:
    """A kind of recogniser and how to open it."""

    name: str
    module: str
    """Top-level module that has to be installed."""
    install: str
    """The command that installs it."""
    open: Callable[[int], Recogniser]
    """Opens it for a sample rate in Hz."""

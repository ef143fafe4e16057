"""The description of a kind of tap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge_vc_runtime.samples import Samples


class TapJob(Protocol):
    """The processing of audio in the tap's process."""

    def take(self, position: int, audio: Samples) -> None:
        """Take ``[T]``, starting at sample number ``position``; numbers may jump forward."""

    def finish(self) -> None:
        """Complete the output; the audio has ended."""


@dataclass(frozen=True)
class TapOutput:
    """Destinations of a tap's results."""

    write: Callable[[str], object]
    """Appends text to the tap's file, in one write."""
    say: Callable[[str], object]
    """Prints one line on the terminal of the run."""


@dataclass(frozen=True)
class TapSettings:
    """Settings passed to the process."""

    sample_rate: int
    recogniser: str


@dataclass(frozen=True)
class TapKind:
    """One kind of tap: ``words``."""

    name: str
    usage: str
    """Description of its output, for help."""
    check: Callable[[TapSettings], None]
    """Raises `TapError` if something is missing; called before audio starts."""
    open: Callable[[TapSettings, TapOutput], TapJob]
    """Starts the job, in the tap's own process."""

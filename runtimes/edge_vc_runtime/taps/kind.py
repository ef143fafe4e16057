"""What a kind of tap says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge_vc_runtime.samples import Samples


class TapJob(Protocol):
    """What the tap's process does with the audio."""

    def take(self, position: int, audio: Samples) -> None:
        """Take ``[T]`` whose first sample is number ``position``; numbers may jump forward."""

    def finish(self) -> None:
        """Complete what was written; the audio has ended."""


@dataclass(frozen=True)
class TapOutput:
    """Where a tap's results go."""

    write: Callable[[str], object]
    """Appends text to the tap's file, in one piece."""
    say: Callable[[str], object]
    """Shows one line on the terminal of the run."""


@dataclass(frozen=True)
class TapSettings:
    """What the process is told."""

    sample_rate: int
    recogniser: str


@dataclass(frozen=True)
class TapKind:
    """One kind of tap: ``words``."""

    name: str
    usage: str
    """For help: what it writes."""
    check: Callable[[TapSettings], None]
    """Raises `TapError` where something is missing; called before audio starts."""
    open: Callable[[TapSettings, TapOutput], TapJob]
    """Starts the work, in the tap's own process."""

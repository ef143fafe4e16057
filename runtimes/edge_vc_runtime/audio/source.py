"""Where audio comes from: what a source is, and what the command line has to know of a kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from edge_vc_runtime.samples import Samples

BLOCK_FRAMES = 8192
"""Samples per block of a source that may choose."""


class AudioSource(Protocol):
    """Mono audio in blocks."""

    name: str
    sample_rate: int
    """Hz."""
    channels: int
    """Number of channels before mixing to mono."""
    frames: int | None
    """Length at `sample_rate`, None when it is not known yet."""

    @property
    def notice(self) -> str | None:
        """A problem that the user should know about, one line."""

    def blocks(self) -> Iterator[Samples]:
        """Yield blocks ``[T]`` until the audio ends; raises `AudioIOError` when it is unusable."""

    def close(self) -> None:
        """Release what it reads from."""


@dataclass(frozen=True)
class SourceKind:
    """A source that an argument of the command line can name."""

    name: str
    usage: str
    """How help describes the argument, as a noun phrase: ``- for raw audio on stdin``."""
    accepts: Callable[[str], bool]
    """Tells from the argument alone whether it names such a source."""
    open: Callable[[str, int], AudioSource]
    """Opens the argument; the number is the sample rate in Hz of audio that does not state its own.
    Raises `AudioIOError`."""
    states_rate: bool = True
    """Whether the audio states its own sample rate; otherwise ``--input-rate`` may set it."""

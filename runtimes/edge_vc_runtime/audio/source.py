"""Audio sources: their protocol, and the description of a kind for the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from edge_vc_runtime.samples import Samples

BLOCK_FRAMES = 8192
"""Samples per block of a source that can choose its block length."""


class AudioSource(Protocol):
    """Mono audio in blocks."""

    name: str
    sample_rate: int
    """Hz."""
    channels: int
    """Number of channels before mixing to mono."""
    frames: int | None
    """Length in samples at `sample_rate`, None if it is not known yet."""

    @property
    def notice(self) -> str | None:
        """A problem that the user should know about, one line."""

    def blocks(self) -> Iterator[Samples]:
        """Yield blocks ``[T]`` until the audio ends; raises `AudioIOError` if it is unusable."""

    def close(self) -> None:
        """Release the underlying file or stream."""


@dataclass(frozen=True)
class SourceKind:
    """A kind of source that can be given on the command line."""

    name: str
    usage: str
    """The help's description of the argument, a noun phrase: ``- for raw audio on stdin``."""
    accepts: Callable[[str], bool]
    """Returns from the argument alone whether it denotes such a source."""
    open: Callable[[str, int], AudioSource]
    """Opens the argument; the number is the sample rate in Hz of audio that does not state its
    own. Raises `AudioIOError`."""
    states_rate: bool = True
    """Whether the audio states its own sample rate; otherwise ``--input-rate`` may set it."""

"""Audio sinks: their protocol, and the description of a kind for the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge_vc_runtime.samples import Samples


class AudioSink(Protocol):
    """Takes mono audio in blocks; `finish` completes the output, `abort` removes it."""

    name: str

    def write(self, samples: Samples) -> None:
        """Append ``[T]``; values above full scale are clipped."""

    def finish(self) -> None:
        """Make the result visible."""

    def abort(self) -> None:
        """Remove what was written; harmless after `finish`."""


@dataclass(frozen=True)
class SinkKind:
    """A kind of sink that can be given on the command line."""

    name: str
    usage: str
    """The help's description of the argument, a noun phrase: ``- for raw audio on stdout``."""
    accepts: Callable[[str], bool]
    """Returns from the argument alone whether it denotes such a sink."""
    open: Callable[[str, int], AudioSink]
    """Opens the argument for mono audio of a sample rate in Hz; raises `AudioIOError`."""

"""Where audio goes: what a sink is, and what the command line has to know of a kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge_vc_runtime.samples import Samples


class AudioSink(Protocol):
    """Takes mono audio in blocks; `finish` completes the output, `abort` removes it."""

    name: str

    def write(self, samples: Samples) -> None:
        """Append ``[T]``; values beyond full scale are clipped."""

    def finish(self) -> None:
        """Make the result visible."""

    def abort(self) -> None:
        """Remove what was written; harmless after `finish`."""


@dataclass(frozen=True)
class SinkKind:
    """A sink that an argument of the command line can name."""

    name: str
    usage: str
    """How help describes the argument, as a noun phrase: ``- for raw audio on stdout``."""
    accepts: Callable[[str], bool]
    """Tells from the argument alone whether it names such a sink."""
    open: Callable[[str, int], AudioSink]
    """Opens the argument for mono audio of a sample rate in Hz; raises `AudioIOError`."""

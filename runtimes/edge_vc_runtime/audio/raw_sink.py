"""Raw samples on standard output as a sink."""

from __future__ import annotations

import sys
from typing import BinaryIO

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.int16 import to_int16
from edge_vc_runtime.audio.sink import SinkKind
from edge_vc_runtime.samples import Samples


class RawSink:
    """Raw S16_LE mono on a stream, flushed block by block."""

    def __init__(self, stream: BinaryIO) -> None:
        self.name = "stdout"
        self._stream = stream

    def write(self, samples: Samples) -> None:
        """Append ``[T]`` and flush."""
        self._stream.write(to_int16(samples, self.name).tobytes())
        self._stream.flush()

    def finish(self) -> None:
        """Do nothing: every block was flushed."""

    def abort(self) -> None:
        """Do nothing: blocks that were already output cannot be removed."""


def _open_stdout(argument: str, sample_rate: int) -> RawSink:
    if sys.stdout.isatty():
        raise AudioIOError("stdout is a terminal; pipe the raw S16_LE audio on or name a file")
    return RawSink(sys.stdout.buffer)


STDOUT_SINK = SinkKind(
    name="stdout",
    usage="- for raw S16_LE mono on stdout",
    accepts=lambda argument: argument == "-",
    open=_open_stdout,
)

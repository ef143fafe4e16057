"""Raw samples on standard input as a source."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import numpy as np

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.source import BLOCK_FRAMES, SourceKind
from edge_vc_runtime.samples import Samples


class RawSource:
    """Raw S16_LE mono from a file descriptor, passed on as soon as it arrives."""

    def __init__(self, descriptor: int, sample_rate: int) -> None:
        self.name = "stdin"
        self.sample_rate = sample_rate
        self.channels = 1
        self.frames: int | None = None
        self.notice: str | None = None
        self._descriptor = descriptor

    def blocks(self) -> Iterator[Samples]:
        """Yield what each read returns; half a sample at the very end is dropped."""
        rest = b""
        while data := os.read(self._descriptor, 2 * BLOCK_FRAMES):
            data = rest + data
            even = len(data) & ~1
            rest = data[even:]
            if even:
                yield np.frombuffer(data[:even], "<i2").astype(np.float32) / np.float32(32768)

    def close(self) -> None:
        """Do nothing: the descriptor belongs to the caller."""


def _open_stdin(argument: str, sample_rate: int) -> RawSource:
    if sys.stdin.isatty():
        raise AudioIOError("stdin is a terminal; pipe raw S16_LE audio into it or name a file")
    return RawSource(sys.stdin.fileno(), sample_rate)


STDIN_SOURCE = SourceKind(
    name="stdin",
    usage="- for raw S16_LE mono on stdin",
    accepts=lambda argument: argument == "-",
    open=_open_stdin,
    states_rate=False,
)

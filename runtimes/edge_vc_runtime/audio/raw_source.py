"""Raw samples on standard input as a source."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from edge_vc_runtime.audio.source import BLOCK_FRAMES
from edge_vc_runtime.samples import Samples


class RawSource:
    """Raw S16_LE mono from a file descriptor, passed on as soon as it arrives."""

    def __init__(self, descriptor: int, sample_rate: int, begun: bytes = b"") -> None:
        self.name = "stdin"
        self.sample_rate = sample_rate
        self.channels = 1
        self.frames: int | None = None
        self.notice: str | None = None
        self._descriptor = descriptor
        self._begun = begun

    def blocks(self) -> Iterator[Samples]:
        """Yield the result of each read; an incomplete sample at the very end is dropped."""
        rest, data = b"", self._begun
        while data or (data := os.read(self._descriptor, 2 * BLOCK_FRAMES)):
            data = rest + data
            even = len(data) & ~1
            rest = data[even:]
            if even:
                yield np.frombuffer(data[:even], "<i2").astype(np.float32) / np.float32(32768)
            data = b""

    def close(self) -> None:
        """Do nothing: the descriptor belongs to the caller."""

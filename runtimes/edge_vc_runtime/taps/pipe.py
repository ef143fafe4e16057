"""Audio from the inference thread to another process, through a pipe; dropped if it is full.

A record consists of its first sample's number, the number of samples, and these as float32. It is
never larger than a pipe's atomic write size (`PIPE_BUF`), so a reader never gets a partial record;
a slow reader gets a gap in the numbers.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

import numpy as np

from edge_vc_runtime.samples import Samples

_HEADER = struct.Struct("<QQ")
_MOST_SAMPLES = 1000  # header and samples stay below the 4096 bytes of PIPE_BUF
_WANTED_BYTES = 1 << 20  # 16 s at 16 kHz, for the time that a recogniser needs to start


class PipeTap:
    """The writing end in the inference thread; a `SampleTap`."""

    def __init__(self, descriptor: int) -> None:
        """Take a pipe's writing end; it is made non-blocking and as large as allowed."""
        os.set_blocking(descriptor, False)
        with suppress(OSError):  # above the user's limit: the usual 64 KiB hold a second
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _WANTED_BYTES)
        self.dropped = 0
        """Number of samples that did not fit."""
        self.broken = False
        """Whether the reader is gone."""
        self._descriptor = descriptor
        self._position = 0
        self._record = bytearray(_HEADER.size + 4 * _MOST_SAMPLES)
        self._view = memoryview(self._record)
        self._samples = np.frombuffer(self._record, np.float32, offset=_HEADER.size)

    def push(self, audio: Samples) -> None:
        """Write float32 ``[hop]``, or drop it; never waits."""
        for first in range(0, audio.shape[0], _MOST_SAMPLES):
            part = audio[first : first + _MOST_SAMPLES]
            if not self.broken:
                self._write(part)
            self._position += part.shape[0]

    def close(self) -> None:
        """Close the pipe for the reader; `push` does nothing from then on."""
        if self._descriptor >= 0:
            self.broken = True
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, part: Samples) -> None:
        count = part.shape[0]
        _HEADER.pack_into(self._record, 0, self._position, count)
        self._samples[:count] = part
        try:
            os.write(self._descriptor, self._view[: _HEADER.size + 4 * count])
        except BlockingIOError:
            self.dropped += count
        except OSError:
            self.broken = True


def read_records(stream: BinaryIO) -> Iterator[tuple[int, Samples]]:
    """Yield the first sample's number and ``[T]`` of every record until the pipe ends."""
    while True:
        header = stream.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return
        position, count = _HEADER.unpack(header)
        data = stream.read(4 * min(count, _MOST_SAMPLES))
        if count > _MOST_SAMPLES or len(data) < 4 * count:
            return
        yield position, np.frombuffer(data, np.float32)

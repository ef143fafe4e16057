"""Records audio passing through the loop, written by a separate thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.sink import AudioSink
from edge_vc_runtime.live.ring import Ring
from edge_vc_runtime.samples import Samples

_RING_S = 5.0  # a disk may be busy for this long
_EVERY_S = 0.1


class Recorder:
    """A `SampleTap` that copies into a ring; a thread moves the ring to a sink.

    A sink that fails, e.g. on a full disk, only ends the recording: what was written until then is
    kept if possible, and ``fail`` is called with one line.
    """

    def __init__(self, sink: AudioSink, sample_rate: int, fail: Callable[[str], None]) -> None:
        """``fail`` is called from the recorder's thread, or from `close`."""
        self.failed = False
        """Whether the recording has ended early."""
        self.lost = 0
        """Number of samples that did not fit into the ring."""
        self._sink = sink
        self._fail = fail
        self._ring = Ring(int(sample_rate * _RING_S), 1, "float32")
        self._block = np.zeros((int(sample_rate * _EVERY_S * 2), 1), np.float32)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def push(self, audio: Samples) -> None:
        """Take ``[hop]``."""
        taken = self._ring.write(audio[:, None])
        self.lost += audio.shape[0] - taken

    def close(self) -> None:
        """Write the remaining samples and complete the recording; without samples there is none.

        May be called repeatedly.
        """
        if self._done.is_set():
            return
        self._done.set()
        self._thread.join()
        if not self._ring.written:
            self._sink.abort()  # an existing file of the same name is unchanged
        elif not self.failed:
            self._guard(self._sink.finish)
        if self.lost and not self.failed:
            self._fail(f"{self._sink.name}: the disk was too slow, {self.lost} samples are missing")
            self.failed = True

    def _run(self) -> None:
        while not self._done.wait(_EVERY_S):
            self._move()
        self._move()

    def _move(self) -> None:
        while count := self._ring.read(self._block):
            if not self.failed:
                self._guard(self._sink.write, self._block[:count, 0])

    def _guard(self, action: Callable[..., None], *values: Samples) -> None:
        try:
            action(*values)
        except (AudioIOError, OSError) as error:
            self.failed = True
            self._fail(f"{error}; the recording ends here{self._rescue()}")

    def _rescue(self) -> str:
        """Complete what was written before the failure; return the outcome as text."""
        try:
            self._sink.finish()
        except (AudioIOError, OSError):
            self._sink.abort()
            return ", nothing of it could be kept"
        return ", what came before is kept"

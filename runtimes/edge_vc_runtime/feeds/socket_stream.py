"""Vectors sent by another program of the same user to a Unix datagram socket."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge_vc_runtime.bundle.input_spec import InputSpec
from edge_vc_runtime.control.bound_socket import BoundSocket
from edge_vc_runtime.feeds.vector_queue import VectorQueue
from edge_vc_runtime.samples import Samples

PAST_S, FUTURE_S = 10.0, 60.0
"""Maximum distance of a vector's time from now."""
_TIME = struct.Struct("<d")
_LOOK_S = 0.2  # how soon `close` takes effect


class SocketStream:
    """An `AuxStream` fed by datagrams: a time and a vector each.

    A datagram is a little-endian float64, the time in s on ``CLOCK_MONOTONIC`` from which the
    vector is valid (0: from its arrival), and ``size`` little-endian float32. A vector is valid
    until the next one, for half a second at most. Other datagrams are ignored and reported once.
    """

    def __init__(self, path: Path, spec: InputSpec, say: Callable[[str], None]) -> None:
        """Listen at ``path``, in a private folder of the user's; raises `ControlError`."""
        self._spec, self._say = spec, say
        self._queue = VectorQueue(spec.size)
        self._bound = BoundSocket(path, socket.SOCK_DGRAM, "--stream")
        self._socket = self._bound.socket
        self._socket.settimeout(_LOOK_S)
        self._closed = threading.Event()
        self._complained = False
        name = f"stream {spec.name}"
        self._thread = threading.Thread(target=self._receive, name=name, daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Do nothing: vectors have their own times."""

    def next(self, out: Samples) -> None:
        """Write the currently valid vector into ``out``; never waits."""
        self._queue.take(time.monotonic(), out)

    def close(self) -> None:
        """Stop and remove the socket; may be called repeatedly."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._thread.join(5 * _LOOK_S)
        self._bound.close()

    def _receive(self) -> None:
        longest = _TIME.size + 4 * self._spec.size
        while not self._closed.is_set():
            try:
                data = self._socket.recv(longest + 1)
            except TimeoutError:
                continue
            except OSError:
                return
            problem = self._put(data, longest)
            if problem and not self._complained:
                self._complained = True
                self._say(f"stream {self._spec.name}: {problem}; passed over (said once)")

    def _put(self, data: bytes, wanted: int) -> str:
        """Queue a datagram's vector; return what is wrong with it, empty if it is valid."""
        if len(data) != wanted:
            size = f"more than {wanted}" if len(data) > wanted else str(len(data))
            return f"{size} bytes; expected {wanted}: a float64 time, {self._spec.size} float32"
        now, (time_s,) = time.monotonic(), _TIME.unpack_from(data)
        vector = np.frombuffer(data, "<f4", offset=_TIME.size)
        if not np.isfinite(vector).all() or not np.isfinite(time_s):
            return "numbers that are not finite"
        time_s = time_s or now
        if not now - PAST_S <= time_s <= now + FUTURE_S:
            return f"a time {time_s - now:+.0f} s from now on CLOCK_MONOTONIC"
        kept = self._queue.put(time_s, np.clip(vector, self._spec.low, self._spec.high))
        return "" if kept else "vectors come faster than hops"

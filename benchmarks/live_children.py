"""Child processes of `live.py`: python benchmarks/live_children.py NAME [CORE]."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from edge_vc_runtime.devices.backend import DeviceStream
from edge_vc_runtime.devices.backends import open_backend
from edge_vc_runtime.devices.negotiation import negotiate
from edge_vc_runtime.devices.selection import find_device
from edge_vc_runtime.live.loop import LiveLoop, LoopSettings
from edge_vc_runtime.live.ring import Ring
from edge_vc_runtime.samples import Samples

RATE = 48000


def bare_child() -> int:
    """Copy from the input callback to the output callback through one ring."""
    backend = open_backend("auto")
    ring = Ring(RATE, 2, "float32")
    state = {"flowing": False}

    def receive(frames: Any, overflow: bool) -> None:
        ring.write(frames)

    def play(frames: Any, underflow: bool) -> None:
        waiting, callback = ring.available, frames.shape[0]
        if waiting > 4 * callback or (not state["flowing"] and waiting >= 2 * callback):
            ring.skip(waiting - 2 * callback)  # the minimum that a thread in between would buffer
            state["flowing"] = True
        got = ring.read(frames) if state["flowing"] else 0
        frames[got:] = 0

    streams: list[DeviceStream] = []
    for direction, callback in (("input", receive), ("output", play)):
        device = find_device(backend, None, direction)  # type: ignore[arg-type]
        streams.append(negotiate(backend, device, direction, callback, RATE, 2, 240))  # type: ignore[arg-type]
    for stream in streams:
        stream.start()
    return wait_for_interrupt(lambda: None)


class Passing:
    """A pass-through converter with the bundle's hop and look-ahead."""

    hop, sample_rate, delay = 160, 16000, 160

    def __init__(self) -> None:
        self._held = np.zeros(self.hop, np.float32)
        self._out = np.zeros(self.hop, np.float32)

    def step(self, audio: Samples) -> Samples:
        """Return the previous hop."""
        self._out[:] = self._held
        self._held[:] = audio
        return self._out

    def reset(self) -> None:
        """Clear the stored hop."""
        self._held.fill(0.0)


def passing_child() -> int:
    """Run the loop with `Passing`."""
    loop = LiveLoop(open_backend("auto"), Passing(), LoopSettings())
    loop.start()
    try:
        return wait_for_interrupt(loop.tend)
    finally:
        loop.stop()


def wait_for_interrupt(tend: Callable[[], None]) -> int:
    """Wait for SIGINT."""
    try:
        while True:
            time.sleep(0.1)
            tend()
    except KeyboardInterrupt:
        return 0


def stalls_child() -> int:
    """Sleep 2 ms repeatedly on the processor given by the last argument; count late wake-ups."""
    count, worst = 0, 0.0
    try:
        os.sched_setaffinity(0, {int(sys.argv[-1])})
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(80))
    except PermissionError:
        return 0  # no result: at normal priority it would measure other programs
    gc.disable()
    try:
        while True:
            begin = time.perf_counter()
            time.sleep(0.002)
            late_ms = (time.perf_counter() - begin) * 1000 - 2
            worst = max(worst, late_ms)
            count += late_ms > 5
    except KeyboardInterrupt:
        print(json.dumps({"over_5_ms": count, "worst_ms": round(worst, 2)}))
    return 0


CHILDREN: dict[str, Callable[[], int]] = {
    "bare": bare_child,
    "passing": passing_child,
    "stalls": stalls_child,
}

if __name__ == "__main__":
    sys.exit(CHILDREN[sys.argv[1]]())

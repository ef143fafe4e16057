"""Registration of a live run's threads with Python and the kernel."""

from __future__ import annotations

import ctypes
import threading
from contextlib import suppress
from pathlib import Path


def keep_thread_state() -> None:
    """Register the calling thread with Python until it ends; call this in its first callback.

    A library takes the interpreter lock with ``PyGILState_Ensure`` before each callback. On a
    thread unknown to Python this creates a thread state, and the matching ``PyGILState_Release``
    destroys it: memory is mapped, faulted in, unmapped and the other processors' TLBs flushed, for
    every 5 ms of audio. One more ``Ensure`` keeps the state. A few kilobytes per opened stream are
    not freed when its thread ends.
    """
    ctypes.pythonapi.PyGILState_Ensure()


def name_thread(name: str) -> None:
    """Name the calling thread for ``top -H`` and ``perf``; at most 15 characters are used."""
    with suppress(OSError):  # only a convenience
        Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text(name)

"""What threads of a live run are to Python and to the kernel."""

from __future__ import annotations

import ctypes
import threading
from contextlib import suppress
from pathlib import Path


def keep_thread_state() -> None:
    """Let Python know the calling thread until it ends; to be called in its first callback.

    A library takes the interpreter's lock with ``PyGILState_Ensure`` before each callback. On a
    thread that Python does not know this makes a thread state, and the matching
    ``PyGILState_Release`` destroys it: memory is mapped, faulted in, unmapped and the other
    processors' translation caches flushed, for every 5 ms of audio. One more ``Ensure`` keeps the
    state. A few kilobytes per opened stream stay behind when its thread ends.
    """
    ctypes.pythonapi.PyGILState_Ensure()


def name_thread(name: str) -> None:
    """Have ``top -H`` and ``perf`` call the calling thread so; at most 15 characters count."""
    with suppress(OSError):  # a mere convenience
        Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text(name)

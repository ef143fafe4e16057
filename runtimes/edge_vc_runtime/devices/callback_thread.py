"""Python's side of a thread that an audio library made."""

from __future__ import annotations

import ctypes


def keep_thread_state() -> None:
    """Let Python know the calling thread until it ends; to be called in its first callback.

    A library takes the interpreter's lock with ``PyGILState_Ensure`` before each callback. On a
    thread that Python does not know this makes a thread state, and the matching
    ``PyGILState_Release`` destroys it: memory is mapped, faulted in, unmapped and the other
    processors' translation caches flushed, for every 5 ms of audio. One more ``Ensure`` keeps the
    state. A few kilobytes per opened stream stay behind when its thread ends.
    """
    ctypes.pythonapi.PyGILState_Ensure()

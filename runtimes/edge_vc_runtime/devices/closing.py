"""Closing a stream when the sound library may hang."""

from __future__ import annotations

import threading
from collections.abc import Callable

from edge_vc_runtime.devices.error import DeviceHungError
from edge_vc_runtime.devices.library_noise import captured_stderr

LIMIT_S = 3.0
"""A close takes milliseconds; one that takes seconds will not finish."""


def close_within(close: Callable[[], object], device: str) -> None:
    """Call ``close`` with its messages suppressed; raise `DeviceHungError` after `LIMIT_S`.

    PortAudio's close waits for its own thread, which may never end if the sound server dies. The
    call then continues in the background until the process ends: nothing else can end it.
    """
    failures: list[BaseException] = []

    def run() -> None:
        try:
            close()
        except BaseException as error:  # raised again below
            failures.append(error)

    thread = threading.Thread(target=run, name="close", daemon=True)
    with captured_stderr():
        thread.start()
        thread.join(LIMIT_S)
    if thread.is_alive():
        raise DeviceHungError(
            f"{device}: the sound library does not let go of it; run the command again"
        )
    if failures:
        raise failures[0]

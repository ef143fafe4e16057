"""The thread that runs the conversion, and nothing else."""

from __future__ import annotations

import threading
import time

from edge_vc_runtime.devices.callback_thread import name_thread
from edge_vc_runtime.live.hop_worker import HopWorker
from edge_vc_runtime.live.realtime import RealtimeSettings, enter_realtime

_JOIN_S = 2.0


class InferenceThread:
    """Calls `HopWorker.advance` until it is stopped, with its own priority."""

    def __init__(self, worker: HopWorker, settings: RealtimeSettings) -> None:
        self.notice = ""
        """One line if the system refused a priority or a processor."""
        self.failure: Exception | None = None
        """The error that ended the thread, if any."""
        self._worker = worker
        self._settings = settings
        self._stopped = False
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)

    def start(self) -> None:
        """Start, and wait until the priority is set."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """End after the current hop; a step that hangs is abandoned after 2 s."""
        self._stopped = True
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        name_thread("inference")
        self.notice = enter_realtime(self._settings)
        self._ready.set()
        advance, sleep = self._worker.advance, time.sleep
        try:
            while not self._stopped:
                pause = advance()
                if pause > 0:
                    sleep(pause)
        except Exception as error:  # from an engine; the main thread reports it
            self.failure = error

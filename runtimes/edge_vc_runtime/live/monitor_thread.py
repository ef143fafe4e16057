"""The thread that monitors a running loop ten times a second."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from edge_vc_runtime.devices.callback_thread import name_thread
from edge_vc_runtime.live.loop import LiveLoop
from edge_vc_runtime.live.realtime import collect_garbage
from edge_vc_runtime.live.snapshot import LiveSnapshot

EVERY_S = 0.1
_COLLECT_EVERY = 100  # iterations: once every 10 s

Observer = Callable[[LiveSnapshot], object]
"""Called ten times a second on the monitor's thread; it may log, and take locks."""


class MonitorThread:
    """Calls the loop's `tend`, then passes a snapshot to every observer."""

    def __init__(
        self,
        loop: LiveLoop,
        observers: Sequence[Observer],
        complete: Callable[[LiveSnapshot], LiveSnapshot] = lambda seen: seen,
    ) -> None:
        """``complete`` adds data unknown to the loop: the tier, the chain's parameters."""
        self.ended = threading.Event()
        """Set once it has stopped, even by itself."""
        self.failure: Exception | None = None
        """The error that ended it, if any."""
        self._loop = loop
        self._observers = tuple(observers)
        self._complete = complete
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End after the current iteration; harmless if repeated or never started."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(2.0)

    def _run(self) -> None:
        name_thread("monitor")
        looks = 0
        try:
            while not self._stop.wait(EVERY_S):
                self._loop.tend()
                self._look()
                looks += 1
                if looks % _COLLECT_EVERY == 0:
                    collect_garbage()
            if not looks:  # ended immediately, but it needs a summary and a report
                self._look()
        except Exception as error:  # the main thread reports it
            self.failure = error
        finally:
            self.ended.set()

    def _look(self) -> None:
        seen = self._complete(self._loop.snapshot())
        for observer in self._observers:
            observer(seen)

"""Records a loudspeaker of the sound server to detect the first sound."""

from __future__ import annotations

import subprocess
import threading
import time
from typing import Any

import numpy as np

RATE = 48000


class Listener:
    """Records the loudspeaker and notes when it first stops being silent."""

    def __init__(self, sound: Any) -> None:
        self._process = subprocess.Popen(
            [
                "parec", "--device=speaker.monitor", "--format=float32le", f"--rate={RATE}",
                "--channels=1", "--latency-msec=10", "--raw",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._heard = threading.Event()
        self._moment = float("nan")
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Listener:
        self._thread.start()
        time.sleep(0.5)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._thread.join()

    def first_sound(self) -> float:
        """Return its time in s on the monotonic clock, NaN after 30 s of silence."""
        self._heard.wait(30)
        return self._moment

    def _listen(self) -> None:
        stream = self._process.stdout
        while stream is not None and (data := stream.read(480 * 4)):
            block = np.frombuffer(data[: len(data) // 4 * 4], "<f4")
            if not self._heard.is_set() and np.abs(block).max(initial=0.0) > 1e-3:
                self._moment = time.monotonic()
                self._heard.set()

"""A sound back end of your own: a microphone that delivers a tone."""

import threading
import time

import numpy as np

from edge_vc_runtime.devices import (
    BackendKind,
    Device,
    Direction,
    FormatRefusedError,
    InputCallback,
    OutputCallback,
    StreamFormat,
    find_device,
    negotiate,
    open_backend,
    register_backend,
)

TONE = Device("tone", "tone", 0, "example", 1, 1, 48000, low_input_ms=2.5, low_output_ms=2.5)


class ToneStream:
    """Calls back from a thread, as a library's audio thread does."""

    latency_ms = 2.5

    def __init__(
        self, format: StreamFormat, callback: InputCallback | OutputCallback, hz: float
    ) -> None:
        self.format, self.active = format, False
        self._callback, self._thread = callback, threading.Thread(target=self._run)
        moments = np.arange(format.frames) / format.sample_rate
        self._block = (0.3 * np.sin(2 * np.pi * hz * moments))[:, None].astype(np.float32)

    def _run(self) -> None:
        while self.active:
            self._callback(self._block, False)
            time.sleep(self.format.frames / self.format.sample_rate)

    def start(self) -> None:
        self.active = True
        self._thread.start()

    def close(self) -> None:
        if self.active:
            self.active = False
            self._thread.join()


class ToneBackend:
    """One device, in one format."""

    name = "tone"

    def devices(self) -> list[Device]:
        return [TONE]

    def rates(self, device: Device, direction: Direction) -> tuple[int, ...]:
        return (48000,)

    def open_input(
        self, device: Device, format: StreamFormat, callback: InputCallback
    ) -> ToneStream:
        if format.sample_rate != 48000:
            raise FormatRefusedError("tone does not run at this rate; it has 48000", "sample_rate")
        if format.sample_type != "float32":
            raise FormatRefusedError("tone has float32 samples only", "sample_type")
        return ToneStream(format, callback, hz=800)

    open_output = open_input

    def close(self) -> None:
        """Do nothing: nothing is open."""


register_backend(
    BackendKind("tone", "an example", lambda latency_ms: ToneBackend(), remedy="it is always there")
)

if __name__ == "__main__":
    blocks: list[np.ndarray] = []
    backend = open_backend("tone")
    device = find_device(backend, "TON", "input")
    stream = negotiate(backend, device, "input", lambda block, lost: blocks.append(block.copy()))
    stream.start()
    time.sleep(0.05)
    stream.close()
    print(
        f"{len(blocks)} blocks of {stream.format.frames} frames at {stream.format.sample_rate} Hz"
    )
    raise SystemExit(not blocks)

"""A stream of python-sounddevice."""

from __future__ import annotations

from typing import Any

from edge_vc_runtime.devices.backend import StreamFormat
from edge_vc_runtime.devices.callback_watch import CallbackWatch
from edge_vc_runtime.devices.closing import close_within
from edge_vc_runtime.devices.error import DeviceGoneError, DeviceHungError
from edge_vc_runtime.devices.library_noise import captured_stderr
from edge_vc_runtime.message import one_line


class SoundDeviceStream:
    """A stream of either direction."""

    def __init__(self, format: StreamFormat) -> None:
        self.format = format
        self.latency_ms: float | None = None
        self.hung = False
        """Whether closing it hung: PortAudio cannot be terminated either in this case."""
        self.watch = CallbackWatch()
        self._device = ""
        self._stream: Any = None

    def opened(self, stream: Any, device: str) -> None:
        """Take the stream created by sounddevice."""
        self._stream = stream
        self._device = device
        self.latency_ms = float(stream.latency) * 1e3

    @property
    def closed(self) -> bool:
        """Whether it was closed, or never opened."""
        return self._stream is None

    @property
    def active(self) -> bool:
        """Whether it is running; also False without a callback for 1.5 s."""
        return self._stream is not None and self._stream.active and self.watch.alive()

    def start(self) -> None:
        """Start the callbacks."""
        self.watch.begin()
        failure = None
        with captured_stderr():
            try:
                self._stream.start()
            except Exception as error:  # PortAudioError, from a library that may be missing here
                failure = error
        if failure is not None:
            text = one_line(failure)
            raise DeviceGoneError(f"{self._device} does not start: {text}") from failure

    def close(self) -> None:
        """Stop immediately, without playing the rest; raises `DeviceHungError`."""
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                close_within(lambda: stream.close(ignore_errors=True), self._device)
            except DeviceHungError:
                self.hung = True
                raise

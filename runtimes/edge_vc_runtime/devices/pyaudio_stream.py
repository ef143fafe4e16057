"""Streams of PyAudio, and the cost of their callbacks.

PyAudio creates a bytes object of the input, two ints and a dict of three times for each call; that
cannot be avoided. Here one view of the bytes is added. The output is an array that is allocated
once and returned each time, in a tuple created once: PyAudio copies from any read-only buffer,
which numpy provides. There is no lock other than the interpreter's own, and no logging.

PyAudio always requests the device's low latency from PortAudio. PortAudio's ALSA ring is then
``frames + max(frames, that latency)``; the latency is 384 frames for most cards: small callbacks
result in a small ring. 120 frames at 48 kHz give 10.5 ms, 480 frames 20 ms.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_vc_runtime.devices.backend import InputCallback, OutputCallback, StreamFormat
from edge_vc_runtime.devices.callback_thread import keep_thread_state, name_thread
from edge_vc_runtime.devices.callback_watch import CallbackWatch
from edge_vc_runtime.devices.closing import close_within
from edge_vc_runtime.devices.error import DeviceGoneError, DeviceHungError
from edge_vc_runtime.devices.library_noise import captured_stderr
from edge_vc_runtime.devices.portaudio import INPUT_OVERFLOW, OUTPUT_UNDERFLOW, error_code


class PyAudioStream:
    """Common code of both directions: opening, watching, closing."""

    def __init__(self, format: StreamFormat) -> None:
        self.format = format
        self.latency_ms: float | None = None
        self.hung = False
        """Whether closing it hung: PortAudio cannot be terminated either in this case."""
        self._watch = CallbackWatch()
        self._device = ""
        self._stream: Any = None

    def opened(self, stream: Any, device: str) -> None:
        """Take the stream created by PyAudio."""
        self._stream = stream
        self._device = device
        self.latency_ms = self.reported_s(stream) * 1e3

    def reported_s(self, stream: Any) -> float:
        """Return PortAudio's reported latency in s for this direction."""
        raise NotImplementedError

    def call(self, data: Any, frames: int, times: Any, status: int) -> Any:
        """Handle one callback of PyAudio."""
        raise NotImplementedError

    @property
    def closed(self) -> bool:
        """Whether it was closed, or never opened."""
        return self._stream is None

    @property
    def active(self) -> bool:
        """Whether it is running; also False without a callback for 1.5 s."""
        return self._stream is not None and self._stream.is_active() and self._watch.alive()

    def start(self) -> None:
        """Start the callbacks."""
        self._watch.begin()
        try:
            with captured_stderr():
                self._stream.start_stream()
        except OSError as error:
            raise DeviceGoneError(
                f"{self._device} does not start: {error_code(error)[1]}"
            ) from error

    def close(self) -> None:
        """Stop immediately, without playing the rest; raises `DeviceHungError`."""
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                close_within(stream.close, self._device)
            except DeviceHungError:
                self.hung = True
                raise


class PyAudioInput(PyAudioStream):
    """A stream that records."""

    def __init__(self, format: StreamFormat, callback: InputCallback) -> None:
        super().__init__(format)
        self._callback = callback
        self._shape = (format.frames, format.channels)
        self._dtype = np.dtype(format.sample_type)
        self._answer = (None, 0)  # paContinue

    def reported_s(self, stream: Any) -> float:
        """Return the input latency in s."""
        return float(stream.get_input_latency())

    def call(self, data: Any, frames: int, times: Any, status: int) -> Any:
        """Pass the samples on, as a view of PyAudio's bytes."""
        if not self._watch.calls:
            keep_thread_state()
            name_thread("microphone")
        self._watch.calls += 1
        self._callback(np.ndarray(self._shape, self._dtype, data), status & INPUT_OVERFLOW != 0)
        return self._answer


class PyAudioOutput(PyAudioStream):
    """A stream that plays."""

    def __init__(self, format: StreamFormat, callback: OutputCallback) -> None:
        super().__init__(format)
        self._callback = callback
        self._block = np.zeros((format.frames, format.channels), format.sample_type)
        self._answer = (self._block, 0)  # paContinue

    def reported_s(self, stream: Any) -> float:
        """Return the output latency in s."""
        return float(stream.get_output_latency())

    def call(self, data: Any, frames: int, times: Any, status: int) -> Any:
        """Let the callback fill the block; PyAudio copies it before the next call."""
        if not self._watch.calls:
            keep_thread_state()
            name_thread("loudspeaker")
        self._watch.calls += 1
        self._callback(self._block, status & OUTPUT_UNDERFLOW != 0)
        return self._answer

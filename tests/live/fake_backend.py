"""A sound back end that a test drives callback by callback; no time passes in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_vc_runtime.devices.backend import Device, InputCallback, OutputCallback, StreamFormat
from edge_vc_runtime.devices.error import DeviceBusyError, DeviceGoneError

SCALE = {"float32": 1.0, "int16": 2.0**15, "int32": 2.0**31}


def fake_device(name: str = "fake", inputs: int = 1, outputs: int = 2, rate: int = 48000) -> Device:
    return Device(
        name=name, key=name, index=0, api="fake", inputs=inputs, outputs=outputs,
        default_rate=rate, low_input_ms=1.0, low_output_ms=1.0,
    )  # fmt: skip


class FakeStream:
    """One direction of a card; the test calls `call`."""

    latency_ms = 2.5

    def __init__(self, format: StreamFormat, callback: Any) -> None:
        self.format = format
        self.active = False
        self.closed = False
        self._callback = callback

    def start(self) -> None:
        self.active = True

    def close(self) -> None:
        self.active = False
        self.closed = True

    def call(self, frames: np.ndarray, flag: bool = False) -> None:
        assert frames.shape == (self.format.frames, self.format.channels)
        assert frames.dtype == self.format.sample_type
        self._callback(frames, flag)


class FakeBackend:
    """Cards of any format; ``gone`` and ``busy`` are what the next opening meets."""

    name = "fake"

    def __init__(self, *devices: Device) -> None:
        self.cards = list(devices) or [fake_device()]
        self.gone = False
        self.busy = False
        self.input: FakeStream | None = None
        self.output: FakeStream | None = None

    def devices(self) -> list[Device]:
        return [] if self.gone else self.cards

    def open_input(
        self, device: Device, format: StreamFormat, callback: InputCallback
    ) -> FakeStream:
        self.input = self._open(device, format, callback)
        return self.input

    def open_output(
        self, device: Device, format: StreamFormat, callback: OutputCallback
    ) -> FakeStream:
        self.output = self._open(device, format, callback)
        return self.output

    def _open(self, device: Device, format: StreamFormat, callback: Any) -> FakeStream:
        if self.gone:
            raise DeviceGoneError(f"{device.name} is not there")
        if self.busy:
            raise DeviceBusyError(f"{device.name} is in use by python (pid 1); stop it")
        return FakeStream(format, callback)

    def vanish(self) -> None:
        self.gone = True
        for stream in (self.input, self.output):
            if stream is not None:
                stream.active = False

    def close(self) -> None:
        for stream in (self.input, self.output):
            if stream is not None:
                stream.close()


class Shift:
    """A converter that is easy to check: it delays by ``delay`` samples and halves."""

    def __init__(self, hop: int = 160, sample_rate: int = 16000, delay: int = 37) -> None:
        self.hop, self.sample_rate, self.delay = hop, sample_rate, delay
        self.resets = 0
        self._held = np.zeros(delay, np.float32)

    def step(self, audio: np.ndarray) -> np.ndarray:
        line = np.concatenate((self._held, audio))
        self._held = line[self.hop :]
        return line[: self.hop] * np.float32(0.5)

    def reset(self) -> None:
        self.resets += 1
        self._held = np.zeros(self.delay, np.float32)


def to_type(audio: np.ndarray, sample_type: str) -> np.ndarray:
    """Return float audio in a card's sample type."""
    if sample_type == "float32":
        return audio.astype(np.float32)
    scaled = np.rint(audio.astype(np.float64) * SCALE[sample_type])
    top = SCALE[sample_type] - 1
    return np.clip(scaled, -top - 1, top).astype(sample_type)

"""The sounddevice back end, against a library without PortAudio."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge_vc_runtime.devices import (
    Backend,
    DeviceBusyError,
    DeviceError,
    DeviceGoneError,
    FormatRefusedError,
    StreamFormat,
    open_backend,
)

FORMAT = StreamFormat(48000, 2, "float32", 120)


class PortAudioError(Exception):
    pass


class FakeSoundDevice(ModuleType):
    """As far as the back end uses it; importing it has started PortAudio once."""

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self._initialized = 1
        self.starts = 0
        self.refuse: Exception | None = None
        self.made: list[Any] = []
        self.InputStream = self.OutputStream = self.open
        self.check_input_settings = self.check_output_settings = self.check

    def _initialize(self) -> None:
        self._initialized += 1
        self.starts += 1

    def _terminate(self) -> None:
        self._initialized -= 1

    def query_hostapis(self) -> list[dict[str, Any]]:
        return [{"name": "ALSA"}]

    def query_devices(self) -> list[dict[str, Any]]:
        return [
            {
                "index": 0, "name": "default", "hostapi": 0, "max_input_channels": 2,
                "max_output_channels": 8, "default_samplerate": 44100.0,
                "default_low_input_latency": 0.0087, "default_low_output_latency": 0.0086,
            }
        ]  # fmt: skip

    def check(self, samplerate: int, **settings: Any) -> None:
        if samplerate != 44100:
            raise PortAudioError("Invalid sample rate", -9997)

    def open(self, **settings: Any) -> Any:
        if self.refuse is not None:
            raise self.refuse
        stream = SimpleNamespace(settings=settings, latency=0.005, active=False, closed=False)
        stream.start = lambda: setattr(stream, "active", True)
        stream.close = lambda ignore_errors: stream.__dict__.update(active=False, closed=True)
        self.made.append(stream)
        return stream


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakeSoundDevice:
    made = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", made)
    return made


@pytest.fixture
def backend(library: FakeSoundDevice) -> Backend:
    return open_backend("sounddevice", 5)


def test_devices_are_looked_for_anew_unless_a_stream_is_open(
    backend: Backend, library: FakeSoundDevice
) -> None:
    device = backend.devices()[0]
    assert (device.name, device.inputs, device.outputs, device.api) == ("default", 2, 8, "ALSA")
    assert (library.starts, library._initialized) == (1, 1)
    stream = backend.open_input(device, FORMAT, lambda block, lost: None)
    backend.devices()
    assert library.starts == 1
    stream.close()
    backend.devices()
    assert (library.starts, library._initialized) == (2, 1)
    backend.close()
    backend.close()
    assert library._initialized == 0
    assert backend.rates(device, "output") == (44100,)


@pytest.mark.parametrize("direction", ["input", "output"])
def test_a_stream_calls_back_with_its_own_flag(
    backend: Backend, library: FakeSoundDevice, direction: str
) -> None:
    seen: list[tuple[np.ndarray, bool]] = []
    opener = backend.open_input if direction == "input" else backend.open_output
    stream = opener(backend.devices()[0], FORMAT, lambda block, flag: seen.append((block, flag)))
    call = library.made[0].settings.pop("callback")
    assert library.made[0].settings == {
        "samplerate": 48000, "blocksize": 120, "device": 0, "channels": 2, "dtype": "float32",
        "latency": 0.005,
    }  # fmt: skip
    block = np.zeros((120, 2), np.float32)
    for overflow, underflow in ((False, False), (True, False), (False, True)):
        status = SimpleNamespace(input_overflow=overflow, output_underflow=underflow)
        call(block, 120, None, status)
    assert [flag for _, flag in seen] == [False, direction == "input", direction == "output"]
    assert seen[0][0] is block
    assert stream.latency_ms == pytest.approx(5)
    assert not stream.active
    stream.start()
    assert stream.active
    stream.close()
    assert not stream.active
    assert library.made[0].closed
    stream.close()


@pytest.mark.parametrize(
    ("error", "kind", "line"),
    [
        (
            PortAudioError("Error opening InputStream: Invalid sample rate", -9997),
            FormatRefusedError, "default does not run at 48000 Hz; it has 44100",
        ),
        (
            PortAudioError("Error opening InputStream: Device unavailable", -9985),
            DeviceBusyError, "default is in use by another program; stop it, or choose another",
        ),
        (PortAudioError("Error querying device 3"), DeviceGoneError, "default is not there any"),
        (
            PortAudioError("Unanticipated host error", -9999, (0, -5, "Input/output error")),
            DeviceError,
            "default cannot be opened as input: Unanticipated host error: Input/output error",
        ),
    ],
)  # fmt: skip
def test_what_keeps_it_from_opening_is_one_line(
    backend: Backend, library: FakeSoundDevice, error: Exception, kind: type, line: str
) -> None:
    device = backend.devices()[0]
    library.refuse = error
    with pytest.raises(kind) as caught:
        backend.open_input(device, FORMAT, lambda block, lost: None)
    assert str(caught.value).startswith(line)


def test_a_stream_that_does_not_start_has_lost_its_device(
    backend: Backend, library: FakeSoundDevice
) -> None:
    stream = backend.open_input(backend.devices()[0], FORMAT, lambda block, lost: None)

    def fail() -> None:
        raise PortAudioError("Error starting stream: Unanticipated host error", -9999)

    library.made[0].start = fail
    with pytest.raises(DeviceGoneError, match="default does not start: .*Unanticipated"):
        stream.start()

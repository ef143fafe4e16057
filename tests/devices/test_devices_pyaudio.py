"""The PyAudio back end: callbacks, hot-plug, and PortAudio's errors in words."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest
from devices_pyaudio import FakePyAudio

from edge_vc_runtime.devices import (
    Backend,
    DeviceBusyError,
    DeviceError,
    DeviceGoneError,
    FormatRefusedError,
    StreamFormat,
    open_backend,
)
from edge_vc_runtime.devices.callback_watch import CallbackWatch
from edge_vc_runtime.devices.pyaudio_backend import PyAudioBackend
from edge_vc_runtime.devices.pyaudio_stream import PyAudioInput, PyAudioOutput

FORMAT = StreamFormat(48000, 2, "int16", 4)


def ignore(block: np.ndarray, flag: bool) -> None:
    pass


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakePyAudio:
    made = FakePyAudio()
    made.cards = [("USB: Audio (hw:1,0)", 1, 0), ("default", 32, 32)]
    monkeypatch.setitem(sys.modules, "pyaudio", made)
    return made


@pytest.fixture
def backend(library: FakePyAudio) -> Backend:
    return open_backend("pyaudio")


def test_an_input_callback_sees_the_bytes_in_place() -> None:
    seen: list[tuple[np.ndarray, bool]] = []
    stream = PyAudioInput(FORMAT, lambda block, overflow: seen.append((block, overflow)))
    data = np.arange(8, dtype="<i2").tobytes()
    assert stream.call(data, 4, {}, 0) == (None, 0)
    stream.call(data, 4, {}, 0x2)
    stream.call(data, 4, {}, 0x1)
    block = seen[0][0]
    assert block.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert block.base is data, "a view, not a copy"
    assert not block.flags.writeable
    assert [overflow for _, overflow in seen] == [False, True, False]


def test_an_output_callback_fills_one_array_again_and_again() -> None:
    flags: list[bool] = []

    def fill(block: np.ndarray, underflow: bool) -> None:
        flags.append(underflow)
        block[:] = len(flags)

    stream = PyAudioOutput(FORMAT, fill)
    first = stream.call(None, 4, {}, 0)
    assert first[0].shape == (4, 2)
    assert first[0].dtype == np.int16
    assert np.all(first[0] == 1)
    second = stream.call(None, 4, {}, 0x4 | 0x10)
    assert second is first, "neither the array nor the tuple is made anew"
    assert np.all(first[0] == 2)
    assert first[1] == 0
    assert flags == [False, True]


def test_devices_have_a_name_and_a_key(backend: Backend, library: FakePyAudio) -> None:
    library.cards.append(("\x1b[2J" + "x" * 999, 0, 2))
    usb, default, evil = backend.devices()
    assert (usb.name, usb.inputs, usb.outputs, usb.api) == ("USB: Audio (hw:1,0)", 1, 0, "ALSA")
    assert (default.key, default.index, default.default_rate) == ("default", 1, 44100)
    assert default.low_input_ms == pytest.approx(8.7)
    assert evil.name.startswith("\\x1b[2Jxxx")
    assert len(evil.name) == 200
    assert backend.rates(default, "input") == (44100, 48000)


def test_what_is_plugged_in_later_is_found_unless_a_stream_is_open(
    backend: Backend, library: FakePyAudio
) -> None:
    stream = backend.open_input(backend.devices()[0], FORMAT, ignore)
    library.cards.insert(0, ("Headset: Audio (hw:2,0)", 1, 2))
    assert len(backend.devices()) == 2, "a restart would close the stream"
    stream.close()
    assert backend.devices()[0].name == "Headset: Audio (hw:2,0)"
    backend.close()
    backend.close()


def test_a_stream_is_opened_as_told(backend: Backend, library: FakePyAudio) -> None:
    device = backend.devices()[1]
    stream = backend.open_output(device, FORMAT, ignore)
    settings = library.made[0].settings
    assert settings.pop("stream_callback")
    assert settings == {
        "rate": 48000, "channels": 2, "format": 8, "frames_per_buffer": 4, "start": False,
        "output": True, "output_device_index": 1,
    }  # fmt: skip
    assert stream.latency_ms == pytest.approx(20)
    assert backend.open_input(device, FORMAT, ignore).latency_ms == pytest.approx(10.5)
    assert not stream.active
    stream.start()
    assert stream.active
    backend.close()
    assert not stream.active
    assert all(made.closed for made in library.made)
    stream.close()


@pytest.mark.parametrize(
    ("error", "kind", "line"),
    [
        (
            OSError(-9997, "Invalid sample rate"), FormatRefusedError,
            "default does not run at 48000 Hz; it has 44100, 48000",
        ),
        (
            ValueError("Invalid number of channels", -9998), FormatRefusedError,
            "default does not take 2 input channels; it has at most 32",
        ),
        (
            OSError(-9994, "Sample format not supported"), FormatRefusedError,
            "default does not take int16 samples",
        ),
        (
            OSError(-9985, "Device unavailable"), DeviceBusyError,
            "default is in use by another program; stop it, or choose another device",
        ),
        (
            OSError("Internal\x1b PortAudio error", -9986), DeviceError,
            "default cannot be opened as input: Internal\\x1b PortAudio error",
        ),
    ],
)  # fmt: skip
def test_what_keeps_it_from_opening_is_one_line(
    backend: Backend, library: FakePyAudio, error: Exception, kind: type[DeviceError], line: str
) -> None:
    device = backend.devices()[1]
    library.refuse = error
    with pytest.raises(kind) as caught:
        backend.open_input(device, FORMAT, ignore)
    assert str(caught.value) == line
    library.refuse = None
    backend.open_input(device, FORMAT, ignore)


def test_a_stream_that_does_not_start_has_lost_its_device(
    backend: Backend, library: FakePyAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = backend.open_input(backend.devices()[0], FORMAT, ignore)

    def fail() -> None:
        raise OSError("Unanticipated host error", -9999)

    monkeypatch.setattr(library.made[0], "start_stream", fail)
    with pytest.raises(DeviceGoneError, match=r"USB: Audio \(hw:1,0\) does not start: Unantic"):
        stream.start()


def test_a_stream_that_stalls_is_not_active(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    watch = CallbackWatch()
    watch.begin()
    now[0] += 1.4
    assert watch.alive()
    watch.calls += 1
    now[0] += 60
    assert watch.alive(), "nobody asked for a minute, and it has called meanwhile"
    now[0] += 1.6
    assert not watch.alive()
    watch.calls += 1
    assert watch.alive()


def test_a_library_that_was_prepared_is_not_started_again(library: FakePyAudio) -> None:
    backend = PyAudioBackend()
    backend.prepare()
    assert library.starts == 1
    assert [device.name for device in backend.devices()] == ["USB: Audio (hw:1,0)", "default"]
    assert library.starts == 1
    library.cards.append(("plugged in", 1, 0))
    assert len(backend.devices()) == 3, "from then on it is started anew to see what is new"
    assert library.starts == 2


def test_a_failed_preparation_is_told_by_the_next_call(
    library: FakePyAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OSError("no card at all")

    monkeypatch.setattr(library, "PyAudio", refuse)
    backend = PyAudioBackend()
    backend.prepare()
    with pytest.raises(DeviceError, match="no card at all"):
        backend.devices()

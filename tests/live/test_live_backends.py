"""PyAudio and sounddevice on real null sinks: what is played is heard, what is said arrives."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from live_sound import RATE, SoundServer, loudest_hz, tone

from edge_vc_runtime.cli import main
from edge_vc_runtime.devices import (
    Backend,
    DeviceError,
    DeviceGoneError,
    FormatRefusedError,
    StreamFormat,
    find_device,
    negotiate,
    open_backend,
)

pytestmark = pytest.mark.live


@pytest.fixture(params=["pyaudio", "sounddevice"])
def backend(request: pytest.FixtureRequest, sound: SoundServer) -> Iterator[Backend]:
    made = open_backend(request.param)
    yield made
    made.close()


def player(hz: float) -> Callable[[np.ndarray, bool], None]:
    """Return a callback that plays a sine on every channel, in any sample type."""
    at = 0

    def fill(block: np.ndarray, underflow: bool) -> None:
        nonlocal at
        scale = 1.0 if block.dtype == np.float32 else np.iinfo(block.dtype).max
        moments = np.arange(at, at + block.shape[0])
        block[:] = (0.3 * scale * np.sin(2 * np.pi * hz * moments / RATE))[:, None]
        at += block.shape[0]

    return fill


def ignore(block: np.ndarray, flag: bool) -> None:
    pass


def wait_until(done: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "too long"
        time.sleep(0.02)


def test_it_lists_the_servers_devices_without_a_word(
    backend: Backend, capfd: pytest.CaptureFixture[str]
) -> None:
    devices = {device.name: device for device in backend.devices()}
    assert {"default", "mic_feed", "speaker"} <= set(devices)
    assert devices["default"].key == "default"
    assert devices["default"].inputs >= 2
    assert devices["default"].outputs >= 2
    assert devices["default"].api == "ALSA"
    assert RATE in backend.rates(devices["default"], "input")
    assert capfd.readouterr().err == ""


def test_it_records_what_is_said(backend: Backend, sound: SoundServer) -> None:
    blocks: list[np.ndarray] = []

    def keep(block: np.ndarray, overflow: bool) -> None:
        blocks.append(block.copy())

    stream = negotiate(backend, find_device(backend, "mic_feed", "input"), "input", keep)
    assert (stream.format.sample_rate, stream.format.channels) == (RATE, 2)
    assert stream.format.frames == 120
    assert stream.latency_ms is not None
    assert 0 < stream.latency_ms < 30
    assert not blocks, "it is not started yet"
    stream.start()
    assert stream.active
    assert sound.feed(tone(440, 1.0)).wait(timeout=30) == 0
    stream.close()
    assert not stream.active
    count = len(blocks)
    heard = np.concatenate(blocks)[:, 0]
    assert {block.shape for block in blocks} == {(120, 2)}
    assert loudest_hz(heard) == pytest.approx(440, abs=15)
    time.sleep(0.05)
    assert len(blocks) == count, "a closed stream calls back no more"
    stream.close()


def test_python_knows_a_callbacks_thread_for_as_long_as_it_runs(
    backend: Backend, sound: SoundServer
) -> None:
    current, number = ctypes.pythonapi.PyThreadState_Get, ctypes.pythonapi.PyThreadState_GetID
    current.restype, number.restype = ctypes.c_void_p, ctypes.c_uint64
    numbers: list[int] = []

    def note(block: np.ndarray, flag: bool) -> None:
        numbers.append(number(ctypes.c_void_p(current())))

    stream = negotiate(backend, find_device(backend, "mic_feed", "input"), "input", note)
    stream.start()
    wait_until(lambda: len(numbers) > 20)
    stream.close()
    assert len(set(numbers)) == 1, "a new state for every callback costs more than the callback"


@pytest.mark.parametrize("channels", [1, 2, 8])
def test_it_plays(backend: Backend, sound: SoundServer, channels: int) -> None:
    device = find_device(backend, "speaker", "output")
    stream = negotiate(backend, device, "output", player(1000), channels=channels)
    assert stream.format.channels == channels
    stream.start()
    with sound.recording() as made:
        time.sleep(0.5)
    stream.close()
    assert loudest_hz(made.samples) == pytest.approx(1000, abs=15)


@pytest.mark.parametrize("kind", ["float32", "int16", "int32"])
def test_every_sample_type_arrives_with_its_full_scale(
    backend: Backend, sound: SoundServer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_vc_runtime.devices.negotiation.SAMPLE_TYPES", (kind,))
    stream = negotiate(backend, find_device(backend, "speaker", "output"), "output", player(500))
    assert stream.format.sample_type == kind
    stream.start()
    with sound.recording() as made:
        time.sleep(0.5)
    stream.close()
    assert np.abs(made.samples).max() == pytest.approx(0.3, abs=0.02)


def test_a_refused_format_is_one_line(backend: Backend, sound: SoundServer) -> None:
    device = find_device(backend, "speaker", "output")
    with pytest.raises(FormatRefusedError, match="speaker does not take 60 output channels"):
        negotiate(backend, device, "output", ignore, channels=60)
    with pytest.raises(DeviceError, match="sample rate of a device is 1 Hz"):
        negotiate(backend, device, "output", ignore, sample_rate=1)


def test_a_device_that_left_is_named(own_sound: SoundServer) -> None:
    backend = open_backend("pyaudio")
    device = find_device(backend, "default", "output")
    own_sound.stop()
    with pytest.raises(DeviceError, match="default cannot be opened as output"):
        negotiate(backend, device, "output", ignore)
    with pytest.raises(DeviceGoneError):
        find_device(backend, "default", "output")
    backend.close()


def test_sounddevice_takes_a_latency(sound: SoundServer) -> None:
    rings = []
    for wanted in (2.5, 40.0):
        backend = open_backend("sounddevice", wanted)
        stream = negotiate(backend, find_device(backend, None, "output"), "output", ignore)
        rings.append(stream.latency_ms)
        backend.close()
    assert rings[0] is not None
    assert rings[1] is not None
    assert rings[0] < 10 < 30 < rings[1]


def test_a_rate_that_no_device_has_names_those_it_has(backend: Backend) -> None:
    device = find_device(backend, "speaker", "output")
    with pytest.raises(FormatRefusedError) as error:
        backend.open_output(device, StreamFormat(500_000, 2, "float32", 120), ignore)
    assert error.value.part == "sample_rate"
    assert str(error.value).startswith("speaker does not run at 500000 Hz; it has 8000, 16000, ")


def test_an_index_that_is_gone_is_a_device_that_is_gone(backend: Backend) -> None:
    device = replace(find_device(backend, "speaker", "output"), index=77)
    with pytest.raises(DeviceGoneError, match="speaker is not there any more"):
        backend.open_output(device, StreamFormat(48000, 2, "float32", 120), ignore)


NARROW = """
pcm.emulated { type mmap_emul
  slave.pcm "pulse" }
pcm.mono16 { type speex
  slave.pcm "emulated" }
pcm.eight { type multi
  slaves.a { pcm "emulated"
    channels 8 }
"""
NARROW += "".join(f"  bindings.{n} {{ slave a\n    channel {n} }}\n" for n in range(8)) + "}\n"


@pytest.mark.parametrize("name", ["pyaudio", "sounddevice"])
@pytest.mark.parametrize(("device", "channels"), [("mono16", 1), ("eight", 2)])
def test_a_device_with_one_format_opens(
    own_sound: SoundServer, name: str, device: str, channels: int
) -> None:
    """``mono16`` has one channel of 16-bit integers, ``eight`` has eight channels.

    PortAudio converts. They only open here: their plugins cannot wake it up for a callback.
    """
    with (own_sound.folder / "asound.conf").open("a") as config:
        config.write(NARROW)
    backend = open_backend(name)
    for direction in ("input", "output"):
        found = find_device(backend, device, direction)
        assert found.channels(direction) == (1 if device == "mono16" else 8)
        stream = negotiate(backend, found, direction, ignore)
        assert stream.format == StreamFormat(48000, channels, "float32", 120)
        stream.close()
    backend.close()


def test_the_verb_lists_what_is_there_and_nothing_else(
    sound: SoundServer, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["devices"]) == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    assert captured.out.startswith("pyaudio: inputs ")
    assert "\n* default " in captured.out
    assert "sounddevice: the same devices as pyaudio" in captured.out
    assert max(map(len, captured.out.splitlines())) <= 100

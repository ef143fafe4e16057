"""A sound library that does not come back from closing a stream ends the run, not the machine."""

from __future__ import annotations

import threading
import time

import pytest

from edge_vc_runtime.devices import closing
from edge_vc_runtime.devices.backend import StreamFormat
from edge_vc_runtime.devices.error import DeviceHungError
from edge_vc_runtime.devices.pyaudio_backend import PyAudioBackend
from edge_vc_runtime.devices.pyaudio_stream import PyAudioOutput
from edge_vc_runtime.devices.sounddevice_stream import SoundDeviceStream

FORMAT = StreamFormat(48000, 2, "float32", 120)


class HangingStream:
    latency = 0.01

    def __init__(self) -> None:
        self.released = threading.Event()

    def get_output_latency(self) -> float:
        return 0.01

    def close(self, ignore_errors: bool = True) -> None:
        self.released.wait(20)


@pytest.fixture(autouse=True)
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "LIMIT_S", 0.1)


@pytest.mark.parametrize("kind", [PyAudioOutput, SoundDeviceStream])
def test_a_close_that_hangs_is_left_behind(kind: type) -> None:
    stream = kind(FORMAT, lambda block, flag: None) if kind is PyAudioOutput else kind(FORMAT)
    library = HangingStream()
    stream.opened(library, "USB Audio")
    begin = time.monotonic()
    with pytest.raises(DeviceHungError, match="USB Audio: the sound library does not let go"):
        stream.close()
    assert time.monotonic() - begin < 10
    assert (stream.hung, stream.closed) == (True, True)
    stream.close()
    library.released.set()


def test_a_hung_portaudio_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = PyAudioBackend.__new__(PyAudioBackend)
    library, ended = HangingStream(), []
    stream = PyAudioOutput(FORMAT, lambda block, flag: None)
    stream.opened(library, "USB Audio")
    backend._streams = [stream]
    monkeypatch.setattr(backend, "_terminate", lambda: ended.append(True))
    backend.close()
    assert ended == []
    library.released.set()


def test_what_a_close_raises_is_raised() -> None:
    def fail() -> None:
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        closing.close_within(fail, "USB Audio")
    closing.close_within(lambda: None, "USB Audio")

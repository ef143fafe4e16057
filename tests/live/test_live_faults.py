"""What goes wrong in an hour of live use, with real PyAudio on a real sound server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from fake_backend import Shift
from live_sound import RATE, SoundServer, loudest_hz, tone

from edge_vc_runtime.devices import (
    Device,
    DeviceError,
    DeviceStream,
    FormatRefusedError,
    StreamFormat,
    open_backend,
)
from edge_vc_runtime.devices.pyaudio_backend import PyAudioBackend
from edge_vc_runtime.live.device_choice import DeviceChoice
from edge_vc_runtime.live.loop import LiveLoop, LoopSettings
from edge_vc_runtime.live.monitor_thread import MonitorThread
from edge_vc_runtime.live.realtime import RealtimeSettings

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

CALM = RealtimeSettings(wanted=False)


def wait_until(done: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "too long"
        time.sleep(0.01)


@contextmanager
def running(
    converter: Shift | None = None, backend: Any = None, **choice: Any
) -> Iterator[LiveLoop]:
    """Run a loop, tended as the command tends it."""
    library = backend or open_backend("pyaudio")
    settings = LoopSettings(devices=DeviceChoice(**choice), realtime=CALM)
    loop = LiveLoop(library, converter or Shift(), settings)
    monitor = MonitorThread(loop, [])
    try:
        loop.start()
        monitor.start()
        yield loop
        assert monitor.failure is None
    finally:
        monitor.stop()
        loop.stop()
        library.close()


def heard(sound: SoundServer, source: str = "speaker.monitor", sink: str = "") -> float:
    """Say 1 s of 700 Hz into the microphone; return what the loudspeaker plays, in Hz."""
    with sound.recording(source) as made:
        sound.feed(tone(700, 1.0)).wait()
        time.sleep(0.3)
    return loudest_hz(made.samples) if np.abs(made.samples).max() > 0.05 else 0.0


def test_a_voice_goes_through(sound: SoundServer) -> None:
    with running() as loop:
        assert heard(sound) == pytest.approx(700, abs=5)
        assert loop.snapshot().state == "running"


def test_no_sound_server_is_one_line_and_exit_2(
    sound: SoundServer, mini: Any, tmp_path: Any
) -> None:
    missing = {"PULSE_SERVER": f"unix:{tmp_path}/none"}
    done = subprocess.run(
        [sys.executable, "-m", "edge_vc_runtime", "run", str(mini)],
        env=os.environ | missing, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("edge-vc-rt run: error: ")


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 96000])
def test_a_card_of_another_rate_is_used_at_its_rate(own_sound: SoundServer, rate: int) -> None:
    with running(input_rate=rate, output_rate=rate) as loop:
        assert loop.pair is not None
        assert loop.pair.input.format.sample_rate == rate
        assert loop.pair.output.format.sample_rate == rate
        assert heard(own_sound) == pytest.approx(700, abs=5)


@pytest.mark.parametrize("channels", [1, 2, 8])
def test_sinks_of_any_channel_count(own_sound: SoundServer, channels: int) -> None:
    own_sound.pactl(
        "load-module", "module-null-sink", "norewinds=1", "sink_name=other", f"rate={RATE}",
        f"channels={channels}",
    )  # fmt: skip
    own_sound.pactl("set-default-sink", "other")
    with running():
        assert heard(own_sound, "other.monitor") == pytest.approx(700, abs=5)


class Only32Bit(PyAudioBackend):
    """PyAudio with a card that has 32-bit integers and nothing else, as some microphones do."""

    def open_input(self, device: Device, format: StreamFormat, callback: Any) -> Any:
        return self._only(super().open_input, device, format, callback)

    def open_output(self, device: Device, format: StreamFormat, callback: Any) -> Any:
        return self._only(super().open_output, device, format, callback)

    def _only(
        self, opens: Any, device: Device, format: StreamFormat, callback: Any
    ) -> DeviceStream:
        if format.sample_type != "int32":
            raise FormatRefusedError(f"{device.name} takes S32_LE only", "sample_type")
        stream: DeviceStream = opens(device, format, callback)
        return stream


def test_a_card_that_has_32_bit_integers_only(sound: SoundServer) -> None:
    with running(backend=Only32Bit()) as loop:
        assert loop.pair is not None
        assert loop.pair.input.format.sample_type == "int32"
        assert loop.pair.output.format.sample_type == "int32"
        assert heard(sound) == pytest.approx(700, abs=5)


class Troubled(Shift):
    """A converter that breaks, or sleeps, when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.nan = False
        self.sleep_s = 0.0

    def step(self, audio: np.ndarray) -> np.ndarray:
        out = super().step(audio)
        if self.nan:
            self.nan = False
            out[3] = np.nan
        if self.sleep_s:
            seconds, self.sleep_s = self.sleep_s, 0.0
            time.sleep(seconds)
        return out


def test_nan_is_muted_counted_and_the_state_reset(sound: SoundServer) -> None:
    converter = Troubled()
    with running(converter) as loop:
        wait_until(lambda: loop.counters.hops > 20)
        with sound.recording() as made:
            feed = sound.feed(tone(300, 1.5))
            time.sleep(0.7)
            converter.nan = True
            feed.wait()
        wait_until(lambda: loop.counters.muted == 1)
        assert converter.resets == 1
        assert np.isfinite(made.samples).all()
        assert heard(sound) == pytest.approx(700, abs=5)


def test_a_step_of_200_ms_is_a_gap_not_a_delay(sound: SoundServer) -> None:
    converter = Troubled()
    with running(converter) as loop:
        wait_until(lambda: loop.counters.hops > 20)
        converter.sleep_s = 0.2
        wait_until(lambda: loop.counters.dropped > 0)
        assert loop.counters.late == 1
        assert loop.counters.dropped >= 10
        assert heard(sound) == pytest.approx(700, abs=5)


def test_a_busy_machine_does_not_end_the_conversion(sound: SoundServer) -> None:
    with running() as loop:
        hogs = [
            subprocess.Popen([sys.executable, "-c", "while True: pass"])
            for _ in range(2 * (os.cpu_count() or 1))
        ]
        try:
            hops = loop.counters.hops
            time.sleep(3)
            assert loop.counters.hops > hops
        finally:
            for hog in hogs:
                hog.kill()
                hog.wait()
        assert heard(sound) == pytest.approx(700, abs=5)
        assert loop.state == "running"


def test_a_jump_of_the_clock_changes_nothing(
    sound: SoundServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running() as loop:
        wait_until(lambda: loop.counters.hops > 20)
        present = time.time
        monkeypatch.setattr(time, "time", lambda: present() - 86400 * 400)
        assert heard(sound) == pytest.approx(700, abs=5)
        assert loop.state == "running"
        assert loop.snapshot().seconds < 100


def test_a_missing_device_is_named(sound: SoundServer) -> None:
    words = "there is no input 'nothing like it'"
    with pytest.raises(DeviceError, match=words), running(input="nothing like it"):
        pass

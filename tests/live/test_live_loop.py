"""The loop's life: opening, losing and finding its cards, stopping."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from fake_backend import FakeBackend, Shift, fake_device

from edge_vc_runtime.audio.drifting_resampler import DriftingResampler
from edge_vc_runtime.devices.error import DeviceBusyError, DeviceGoneError
from edge_vc_runtime.live.loop import LiveLoop, LoopSettings
from edge_vc_runtime.live.monitor_thread import MonitorThread
from edge_vc_runtime.live.realtime import RealtimeSettings
from edge_vc_runtime.live.snapshot import LiveSnapshot

SETTINGS = LoopSettings(reserve_ms=5.0, settle_s=0.0, realtime=RealtimeSettings(wanted=False))


def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread; never by a fixed time."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def record(backend: FakeBackend, frames: int, value: float = 0.25) -> None:
    stream = backend.input
    assert stream is not None
    form = stream.format
    for _ in range(frames // form.frames):
        stream.call(np.full((form.frames, form.channels), value, form.sample_type))


def play(backend: FakeBackend) -> np.ndarray:
    stream = backend.output
    assert stream is not None
    block = np.full((stream.format.frames, stream.format.channels), 9.0, np.float32)
    stream.call(block)
    return block


def written(loop: LiveLoop) -> int:
    """Return the hops that lie in the output ring, or went through it."""
    passage = loop._worker.passage
    return passage.fills if passage else 0


def started(backend: FakeBackend, converter: Shift | None = None) -> LiveLoop:
    loop = LiveLoop(backend, converter or Shift(), SETTINGS)
    assert loop.state == "starting"
    loop.start()
    return loop


def test_converts_until_it_is_stopped() -> None:
    backend = FakeBackend()
    loop = started(backend)
    try:
        record(backend, 4800)
        until(lambda: written(loop) == 10)
        heard = np.concatenate([play(backend) for _ in range(20)])
        seen = loop.snapshot()
    finally:
        loop.stop()
    np.testing.assert_allclose(heard[-400:], 0.125, rtol=1e-3)
    assert (seen.state, seen.hops, seen.xruns) == ("running", 10, 0)
    assert seen.input_db == pytest.approx(-12.04, abs=0.5)
    assert seen.input_device == seen.output_device == "fake"
    assert seen.delay.reserve_ms == 5.0
    assert seen.delay.resampling_ms == pytest.approx(3.0)
    assert seen.delay.algorithmic_ms == pytest.approx((160 + 37) / 16)
    assert seen.delay.total_ms is not None
    assert loop.state == "stopped"
    assert backend.input is not None
    assert backend.input.closed
    assert loop.times.count == 10


def test_a_device_that_vanishes_is_found_again() -> None:
    backend = FakeBackend()
    converter = Shift()
    events: list[str] = []
    loop = LiveLoop(backend, converter, SETTINGS, log=lambda event, **_: events.append(event))
    loop.start()
    try:
        record(backend, 4800)
        until(lambda: loop.counters.hops == 10)
        lost = backend.output
        backend.vanish()
        loop.tend()
        assert loop.state == "waiting"
        assert lost is not None
        assert lost.closed
        loop.tend()
        assert loop.counters.reopened == 0
        backend.gone = False
        until(lambda: loop.tend() or loop.state == "running")
        record(backend, 4800)
        until(lambda: loop.counters.hops == 20)
    finally:
        loop.stop()
    assert loop.counters.reopened == 1
    assert converter.resets == 1
    assert events == ["device_gone", "device_back"]


def test_a_card_may_come_back_with_another_rate() -> None:
    backend = FakeBackend(fake_device(rate=48000))
    loop = started(backend)
    try:
        backend.vanish()
        loop.tend()
        backend.cards = [fake_device(inputs=2, rate=44100)]
        backend.gone = False
        until(lambda: loop.tend() or loop.state == "running")
        assert backend.input is not None
        assert backend.input.format.channels == 2
    finally:
        loop.stop()


def test_busy_and_missing_devices_stop_the_start() -> None:
    backend = FakeBackend()
    backend.busy = True
    with pytest.raises(DeviceBusyError, match="in use by python"):
        started(backend)
    backend.gone = True
    with pytest.raises(DeviceGoneError):
        started(backend)


def test_the_microphone_is_closed_when_the_loudspeaker_is_busy() -> None:
    backend = FakeBackend()
    opened = backend._open

    def open_output(*arguments: object) -> None:
        raise DeviceBusyError("fake is in use")

    backend.open_output = open_output  # type: ignore[method-assign, assignment]
    assert opened is not None
    with pytest.raises(DeviceBusyError):
        started(backend)
    assert backend.input is not None
    assert backend.input.closed


class Failing(Shift):
    def step(self, audio: np.ndarray) -> np.ndarray:
        raise RuntimeError("the engine lost its model")


def test_an_engine_that_fails_is_reported() -> None:
    backend = FakeBackend()
    loop = started(backend, Failing())
    try:
        record(backend, 4800)

        def failed() -> bool:
            try:
                loop.tend()
            except RuntimeError as error:
                return "lost its model" in str(error)
            return False

        until(failed)
    finally:
        loop.stop()


def test_the_governor_sees_how_much_waits_before_a_hop() -> None:
    backend = FakeBackend()
    loop = started(backend)
    try:
        assert loop.take_fill() is None
        record(backend, 600)
        until(lambda: written(loop) == 1)
        assert loop.take_fill() == 240  # the reserve of 5 ms
        assert loop.take_fill() is None
    finally:
        loop.stop()


def test_a_run_that_is_over_at_once_was_looked_at() -> None:
    loop = started(FakeBackend())
    seen: list[LiveSnapshot] = []
    monitor = MonitorThread(loop, [seen.append])
    try:
        monitor._stop.set()  # before the first look, as Ctrl-C and --seconds 0.1 may be
        monitor.start()
        assert monitor.ended.wait(20)
    finally:
        monitor.stop()
        loop.stop()
    assert [each.state for each in seen] == ["running"]


@pytest.mark.parametrize(
    ("cards", "corrected"),
    [
        (("plughw:CARD=USB,DEV=0", "plughw:CARD=USB,DEV=1"), False),
        (("plughw:CARD=USB,DEV=0", "hw:CARD=Headphones,DEV=0"), True),
        (("default", "default"), True),
    ],
)
def test_drift_is_corrected_between_two_clocks_only(
    cards: tuple[str, str], corrected: bool
) -> None:
    heard = replace(fake_device("microphone", outputs=0), key=cards[0])
    played = replace(fake_device("loudspeaker", inputs=0), key=cards[1])
    settings = replace(SETTINGS, correct_drift=True)
    loop = LiveLoop(FakeBackend(heard, played), Shift(), settings)
    loop.start()
    try:
        passage = loop._worker.passage
        assert passage is not None
        assert isinstance(passage.output.resampler, DriftingResampler) == corrected
    finally:
        loop.stop()

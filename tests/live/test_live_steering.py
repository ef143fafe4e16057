"""Governor and drift correction on a loop of fake cards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from delay_line import DelayLine
from fake_backend import FakeBackend, Shift
from loop_rig import LoopRig

from edge_vc_runtime.audio.drifting_resampler import DriftingResampler
from edge_vc_runtime.devices.backend import StreamFormat
from edge_vc_runtime.governor.governor_options import GovernorOptions, GovernorSettings
from edge_vc_runtime.governor.steering import LoopActuators, Steering
from edge_vc_runtime.live.device_choice import DeviceChoice
from edge_vc_runtime.live.drift import DriftController
from edge_vc_runtime.live.live_output import LiveOutput
from edge_vc_runtime.live.loop import LiveLoop, LoopSettings
from edge_vc_runtime.live.passage import Passage
from edge_vc_runtime.live.realtime import RealtimeSettings
from edge_vc_runtime.live.snapshot import LiveSnapshot
from edge_vc_runtime.sensors import Sensors
from edge_vc_runtime.session import Session
from edge_vc_runtime.tiers.tiers import TieredConverter

RATE = 48000
SETTINGS = LoopSettings(
    reserve_ms=5.0, settle_s=0.0, correct_drift=True, realtime=RealtimeSettings(wanted=False)
)


class Steered:
    """A loop that runs no thread, and its steering; `see` shows it a moment."""

    def __init__(
        self,
        options: GovernorOptions | None = None,
        bypass: Any = None,
        devices: DeviceChoice | None = None,
    ) -> None:
        lines = [DelayLine("base", 2.0, 0), DelayLine("nano", 1.0, 0)]
        self.converter = TieredConverter(cast(list[Session], lines))
        self.loop = LiveLoop(
            FakeBackend(), self.converter, replace(SETTINGS, devices=devices or DeviceChoice())
        )
        self.events: list[dict[str, object]] = []
        self.sensors = Sensors(None, None, 55.5, "0x0", None)
        self.steering = Steering(
            LoopActuators(self.loop, self.converter, bypass),
            options or GovernorOptions(True, GovernorSettings()),
            lambda event, **values: self.events.append({"event": event, **values}),
            lambda: self.sensors,
        )
        self.now = 0.0
        self.xruns = 0

    def see(self, seconds: float, **changes: Any) -> LiveSnapshot:
        for _ in range(round(10 * seconds)):
            self.now += 0.1
            seen = replace(
                self.loop.snapshot(),
                state="running",
                seconds=self.now,
                output_underflows=self.xruns,
                **changes,
            )
            seen = self.steering.complete(seen)
            self.steering.observe(seen)
        return seen


def test_a_snapshot_tells_tier_and_sensors() -> None:
    steered = Steered()
    seen = steered.see(0.1, p50_ms=1.0, p99_ms=2.0)
    assert (seen.tier, seen.bypassed) == ("base", False)
    assert (seen.temperature_c, seen.throttled) == (55.5, "0x0")
    steered.sensors = replace(steered.sensors, temperature_c=60.0)
    assert steered.see(0.5).temperature_c == 55.5  # read once a second
    assert steered.see(1.0).temperature_c == 60.0


def test_load_lengthens_the_delay_then_takes_the_smaller_tier() -> None:
    steered = Steered()
    steered.see(6, p50_ms=9.0, p99_ms=12.0)
    assert steered.loop._elastic.hops == 1
    assert steered.converter._wanted == 1
    assert [(e["event"], e["what"], e["to"]) for e in steered.events] == [
        ("governor", "reserve", 1), ("governor", "tier", "nano")
    ]  # fmt: skip
    steered.see(600, p50_ms=12.0, p99_ms=14.0)  # no bypass to turn: none is asked for
    assert len(steered.events) == 2


def test_bypass_is_turned_where_there_is_one() -> None:
    calls: list[bool] = []
    steered = Steered(bypass=calls.append)
    seen = steered.see(9, p50_ms=12.0, p99_ms=14.0)
    assert calls == [True]
    assert seen.bypassed
    # Steps of before the bypass are in the snapshot for good; they do not keep it on.
    steered.see(8, p50_ms=12.0, p99_ms=14.0)
    assert calls[:2] == [True, False]


def test_steps_of_a_closed_gate_are_no_measure() -> None:
    steered = Steered()
    steered.see(6, p50_ms=9.0, p99_ms=12.0)
    steered.see(60, p50_ms=0.01, p99_ms=0.02, gate_open=False)
    assert steered.events[-1]["what"] == "reserve"
    steered.see(60, p50_ms=1.0, p99_ms=2.0)
    assert steered.events[-1]["to"] == "base"


def test_without_a_governor_nothing_is_changed() -> None:
    steered = Steered(GovernorOptions(False, GovernorSettings()))
    steered.see(60, p50_ms=12.0, p99_ms=14.0)
    assert steered.events == []
    assert steered.loop._elastic.hops == 0


def test_a_lost_device_stops_deciding_and_drift_begins_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    restarts: list[int] = []
    monkeypatch.setattr(DriftController, "restart", lambda self: restarts.append(1))
    steered = Steered()
    loop = steered.loop
    loop._open()
    monkeypatch.setattr(DriftController, "update", lambda self, fill, seconds: 120.0)
    monkeypatch.setattr(loop, "take_fill", lambda: 300.0)
    seen = steered.see(0.2)
    assert loop.snapshot().drift_ppm == 120.0
    assert len(restarts) == 1
    steered.see(0.1, reopened=1)
    assert len(restarts) == 2
    steered.see(0.3, reopened=1)
    steered.xruns += 1
    steered.see(0.3, reopened=1)
    assert len(restarts) == 3
    passage = loop._worker.passage
    assert passage is not None
    assert isinstance(passage.output.resampler, DriftingResampler)
    loop.stop()
    assert seen.tier == "base"


@pytest.mark.parametrize("buffer_ms", [None, 5.0])
def test_a_loudspeaker_that_runs_empty_is_opened_again_unless_the_user_said_how_long(
    buffer_ms: float | None,
) -> None:
    steered = Steered(devices=DeviceChoice(buffer_ms=buffer_ms))
    loop = steered.loop
    loop._open()
    first = loop.pair
    assert first is not None
    passage = loop._worker.passage
    assert passage is not None
    passage.output.write(np.zeros(160, np.float32))
    passage.output.flowing = True
    block = np.zeros((first.output.format.frames, first.output.format.channels), np.float32)
    steered.see(1)
    for _ in range(2):
        passage.output.play(block[:8], True)
    steered.see(1)
    assert loop.pair is not None
    assert loop.counters.starved == loop.counters.xruns == 2
    lengthened = loop.pair.output.format.frames / first.output.format.frames
    assert lengthened == (2 if buffer_ms is None else 1)
    assert [event["what"] for event in steered.events] == (["buffer"] if buffer_ms is None else [])
    assert loop.snapshot().reopened == 0
    assert loop.state == "running"
    loop.stop()


def test_the_lowest_fill_is_of_the_time_since_it_was_asked_for() -> None:
    steered = Steered()
    loop = steered.loop
    assert loop.take_least_fill() is None
    loop._open()
    passage = loop._worker.passage
    assert passage is not None
    for fill in (480, 240, 960):
        passage._watch(fill)
    assert loop.take_least_fill() == 0.5
    assert loop.take_least_fill() is None
    loop.stop()


def test_a_card_that_took_too_few_samples_leaves_delay_and_pitch_alone() -> None:
    """One clock for both; once the loudspeaker's server plays 12 ms of its own silence."""
    steered = Steered(GovernorOptions(False, GovernorSettings()))
    loop = steered.loop
    loop._open()
    passage = loop._worker.passage
    assert passage is not None
    block_in = np.zeros((passage.input.format.frames, passage.input.format.channels), np.float32)
    block_out = np.zeros((passage.output.format.frames, passage.output.format.channels), np.float32)
    played = 0
    for hop in range(6000):
        passage.input.receive(block_in, False)
        while loop._worker.advance() == 0.0:
            pass
        while played < (hop + 1) * 480 - (576 if hop > 300 else 0):
            passage.output.play(block_out, False)
            played += block_out.shape[0]
        if hop % 10 == 9:
            steered.see(0.1)
    seen = loop.snapshot()
    loop.stop()
    assert seen.xruns == 0
    assert seen.dropped == 1
    assert abs(seen.drift_ppm) < 50


def two_clocks(ppm: float, seconds: float, correct: bool) -> tuple[LoopRig, list[float]]:
    """Run real callbacks, hops and resamplers; the loudspeaker's clock is ``ppm`` faster."""
    form = StreamFormat(RATE, 1, "float32", 120)
    rig = LoopRig(Shift(), form, form, reserve_s=0.004)
    if correct:
        output = LiveOutput(form, 160, 16000, rig.counters, DriftingResampler(16000, RATE, 160))
        rig.output = output
        rig.worker.passage = Passage(
            rig.input, output, rig.elastic, 16000, 0.001, 0.004, settle_s=0.0
        )
    passage = rig.worker.passage
    assert passage is not None
    controller, fills = DriftController(RATE), []
    block_in, block_out = np.zeros((120, 1), np.float32), np.zeros((120, 1), np.float32)
    heard = played = 0
    taken = (0, 0)
    while heard < seconds * RATE:
        if heard / RATE <= played / RATE / (1 + ppm * 1e-6):
            rig.input.receive(block_in, False)
            heard += 120
            rig._work(heard / RATE)
        else:
            rig.output.play(block_out, False)
            played += 120
        if passage.fills - taken[1] >= 10:
            fill = (passage.fill_sum - taken[0]) / (passage.fills - taken[1])
            taken = (passage.fill_sum, passage.fills)
            fills.append(fill)
            rig.output.set_ppm(controller.update(fill, heard / RATE))
    return rig, fills


@pytest.mark.parametrize("ppm", [200, pytest.param(-200, marks=pytest.mark.slow)])
def test_real_callbacks_of_two_clocks_keep_their_delay(ppm: int) -> None:
    rig, fills = two_clocks(ppm, seconds=40, correct=True)
    means = np.array(fills[: len(fills) // 50 * 50]).reshape(-1, 50).mean(axis=1)
    assert rig.counters.xruns == 0
    assert np.abs(means - means[0]).max() < 0.25 * 480


def test_without_a_correction_they_lose_it() -> None:
    rig, _ = two_clocks(400, seconds=15, correct=False)
    assert rig.counters.xruns > 0

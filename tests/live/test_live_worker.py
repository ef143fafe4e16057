"""What the inference thread does about late steps, broken hops and lost samples."""

from __future__ import annotations

import numpy as np
import pytest
from fake_backend import Shift
from loop_rig import LoopRig

from edge_vc_runtime.devices.backend import StreamFormat
from edge_vc_runtime.live.live_input import LiveCounters, LiveInput

CARD = StreamFormat(16000, 1, "float32", 40)
RESERVE = 80


def rig(converter: Shift | None = None, **taps: list) -> LoopRig:
    return LoopRig(converter or Shift(), CARD, CARD, reserve_s=RESERVE / 16000, **taps)


def hum(seconds: float) -> np.ndarray:
    time = np.arange(int(seconds * 16000)) / 16000
    return (0.3 * np.sin(2 * np.pi * 130.5 * time)).astype(np.float32)[:, None]


def delay_of(played: np.ndarray, recorded: np.ndarray, begin: int, end: int) -> int:
    """Return by how many samples the recording's part is heard late."""
    part = recorded[begin:end, 0]
    later = played[begin : end + 8000, 0]
    return int(np.argmax(np.correlate(later, part, "valid")))


def noise(seconds: float, seed: int = 1) -> np.ndarray:
    made = np.random.default_rng(seed).standard_normal((int(seconds * 16000), 1))
    return (0.1 * made).astype(np.float32)


def test_a_step_of_200_ms_costs_its_gap_and_no_delay() -> None:
    rig_ = rig()
    recorded = noise(6.0)
    rig_.run(recorded[:16000])
    rig_.stall_s = 0.2
    played = rig_.run(recorded[16000:])
    assert rig_.counters.dropped == 19  # of the 20 hops that waited, one is converted
    assert rig_.counters.output_underflows > 0
    before = delay_of(played, recorded, 4000, 8000)
    for at in (20000, 80000):  # at once, and for good
        assert abs(delay_of(played, recorded, at, at + 3000) - before) < 160


def test_the_reserve_is_there_again_after_a_gap() -> None:
    rig_ = rig()
    recorded = noise(4.0)
    rig_.run(recorded[:16000])
    rig_.stall_s = 0.03
    rig_.run(recorded[16000:24000])
    passage = rig_.worker.passage
    assert passage is not None
    passage.lowest_fill = None
    rig_.run(recorded[24000:])
    assert passage.lowest_fill is not None
    assert passage.lowest_fill >= RESERVE


def test_many_stalls_do_not_add_up() -> None:
    rig_ = rig()
    recorded = noise(12.0)
    for second in range(8):
        rig_.run(recorded[second * 16000 : (second + 1) * 16000])
        rig_.stall_s = 0.03
    played = rig_.run(recorded[128000:])
    first = delay_of(played, recorded, 8000, 12000)
    assert abs(delay_of(played, recorded, 176000, 180000) - first) < 160


@pytest.mark.parametrize("lost_s", [0.03, 0.5])
def test_a_card_that_took_too_few_samples_does_not_delay_for_long(lost_s: float) -> None:
    rig_ = rig()
    recorded = noise(10.0)
    rig_.run(recorded[:32000])
    # For so long the loudspeaker does not call back, and plays silence of its own instead.
    silence = np.zeros((40, 1), np.float32)
    rig_.played += [silence] * int(lost_s * 400)
    played = rig_.run(recorded[32000:])
    first = delay_of(played, recorded, 8000, 12000)
    assert abs(delay_of(played, recorded, 130000, 134000) - first) < 160
    assert rig_.counters.dropped > 0 or lost_s < 0.1


class Breaking(Shift):
    """Gives NaN, infinity or a number too large to square in one step."""

    bad = float("nan")

    def __init__(self) -> None:
        super().__init__(delay=0)  # a reset then leaves no edge of the converter's own
        self.steps = 0

    def step(self, audio: np.ndarray) -> np.ndarray:
        self.steps += 1
        out = super().step(audio)
        if self.steps == 50:
            out[5] = self.bad
        return out


@pytest.mark.parametrize("bad", [float("nan"), float("-inf"), 1e30])
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_a_hop_that_is_not_finite_is_muted_counted_and_faded(bad: float) -> None:
    converter = Breaking()
    converter.bad = bad
    rig_ = rig(converter)
    played = rig_.run(hum(1.0))[:, 0]
    assert np.isfinite(played).all()
    assert np.abs(played).max() < 0.16
    assert rig_.counters.muted == 1
    assert converter.resets == 1
    steps = np.abs(np.diff(played[1000:]))
    assert steps.max() < 2.5 * np.abs(np.diff(0.5 * hum(0.1)[:, 0])).max()
    assert np.abs(played[-2000:]).max() > 0.14


class Tap:
    def __init__(self) -> None:
        self.heard: list[np.ndarray] = []

    def push(self, audio: np.ndarray) -> None:
        self.heard.append(audio.copy())


def test_taps_hear_what_goes_in_and_what_comes_out() -> None:
    into, out = Tap(), Tap()
    recorded = noise(0.5)
    rig_ = rig(input_taps=[into], output_taps=[out])
    rig_.run(recorded)
    heard = np.concatenate(into.heard)
    np.testing.assert_array_equal(heard, recorded[: heard.size, 0])
    converter = Shift()
    np.testing.assert_array_equal(
        np.concatenate(out.heard), np.concatenate([converter.step(hop) for hop in into.heard])
    )


def test_reserve_hops_are_added_and_taken_back() -> None:
    rig_ = rig()
    recorded = noise(6.0)
    rig_.run(recorded[:16000])
    rig_.elastic.set_hops(2)
    rig_.run(recorded[16000:48000])
    rig_.elastic.set_hops(0)
    played = rig_.run(recorded[48000:])
    delays = [delay_of(played, recorded, at, at + 4000) for at in (8000, 40000, 84000)]
    assert delays[1] - delays[0] == 320
    assert delays[2] == delays[0]
    assert rig_.counters.xruns == 0


def test_samples_that_find_no_place_are_counted() -> None:
    counters = LiveCounters()
    side = LiveInput(CARD, 160, 16000, counters)
    for _ in range(210):  # the ring holds 0.5 s
        side.receive(np.zeros((40, 1), np.float32), False)
    assert counters.input_overflows == 9
    side.discard()
    side.receive(np.zeros((40, 1), np.float32), True)
    assert counters.input_overflows == 10


def test_one_channel_may_be_chosen() -> None:
    form = StreamFormat(16000, 3, "int16", 40)
    frames = np.zeros((160, 3), np.int16)
    frames[:, 1] = 2**14
    chosen, mean = (LiveInput(form, 160, 16000, LiveCounters(), c) for c in (1, None))
    for side, level in ((chosen, 0.5), (mean, 0.5 / 3)):
        for start in range(0, 160, 40):
            side.receive(frames[start : start + 40], False)
        hop = side.next_hop()
        assert hop is not None
        np.testing.assert_allclose(hop, level, rtol=1e-6)
        assert side.next_hop() is None


def test_the_wait_ends_when_the_hop_is_probably_there() -> None:
    side = LiveInput(CARD, 160, 16000, LiveCounters())
    side.receive(np.zeros((40, 1), np.float32), False)
    assert 0.004 < side.wait_s() <= 0.008  # three callbacks of 2.5 ms are missing, and 0.5 ms
    for _ in range(3):
        side.receive(np.zeros((40, 1), np.float32), False)
    assert side.wait_s() == 0.0


def test_one_late_hop_costs_no_more_silence_than_it_was_late() -> None:
    rig_ = rig(Shift(delay=0))
    steady = np.full((16000, 1), 0.5, np.float32)
    begun = rig_.run(steady)[:, 0]
    silent = int((begun == 0).sum())
    rig_.stall_s = 0.015  # half of it until the hop is there: 120 samples late, 40 too many
    played = rig_.run(steady)[:, 0]
    assert rig_.output.missed == 40
    assert int((played == 0).sum()) - silent == 40
    assert rig_.counters.dropped == 0

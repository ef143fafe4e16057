"""The governor, on scripted observations: every step down, every step back, no flapping."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_vc_runtime.governor.actuators import Decision
from edge_vc_runtime.governor.backoff import Backoff
from edge_vc_runtime.governor.governor import Governor
from edge_vc_runtime.governor.governor_options import (
    GovernorOptions,
    GovernorSettings,
    add_governor_options,
)
from edge_vc_runtime.governor.observation import Observation
from edge_vc_runtime.governor.recent_count import RecentCount

TIERS = {"base": 90e6, "nano": 53e6}
HOP_MS = 10.0


@dataclass
class Script:
    """Feeds a governor ten times a second and keeps what it decides."""

    governor: Governor
    now: float = 0.0
    xruns: float = 0.0
    decisions: list[Decision] = field(default_factory=list)

    def run(self, seconds: float, xruns_per_s: float = 0.0, **seen: Any) -> list[Decision]:
        before = len(self.decisions)
        for _ in range(round(10 * seconds)):
            self.now += 0.1
            self.xruns += xruns_per_s / 10
            made = self.governor.observe(
                Observation(self.now, HOP_MS, xruns=int(self.xruns), **seen)
            )
            self.decisions += [made] if made else []
        return self.decisions[before:]


@pytest.fixture
def script() -> Script:
    return Script(Governor(TIERS))


EASY = {"p50_ms": 2.0, "p99_ms": 3.0, "least_fill": 1.2}
SPIKY = {"p50_ms": 2.0, "p99_ms": 9.5, "least_fill": 0.5}
SLOW = {"p50_ms": 8.5, "p99_ms": 9.5, "least_fill": 0.1}
LATE = {"p50_ms": 11.0, "p99_ms": 14.0, "least_fill": 0.0}


def steps(decisions: list[Decision]) -> list[tuple[str, object, object]]:
    return [(d.what, d.before, d.after) for d in decisions]


def test_nothing_is_changed_while_there_is_time(script: Script) -> None:
    assert script.run(600, **EASY) == []


def test_spikes_cost_one_hop_of_delay_and_no_more(script: Script) -> None:
    assert steps(script.run(60, **SPIKY)) == [("reserve", 0, 1)]
    assert script.governor.tier == "base"


def test_a_card_whose_own_buffer_runs_empty_gets_a_longer_one(script: Script) -> None:
    """Twice in a minute; never back, and no further than four times as long."""
    script.run(10, **EASY | {"starved": 0})
    assert script.run(50, **EASY | {"starved": 1}) == []
    assert script.run(30, **EASY | {"starved": 1}) == []
    assert script.run(40, **EASY | {"starved": 2}) == []
    assert steps(script.run(0.5, **EASY | {"starved": 3})) == [("buffer", 1, 2)]
    assert script.run(2, **EASY | {"starved": 9}) == [], "of the card that was just opened"
    assert script.run(100, **EASY | {"starved": 10}) == []
    assert steps(script.run(10, **EASY | {"starved": 12})) == [("buffer", 2, 4)]
    assert script.run(600, **EASY | {"starved": 60}) == []
    assert "own buffer ran empty 2 times in 60 s" in script.decisions[0].reason


@pytest.mark.parametrize("callback_hops", [0.25, 0.5])
def test_a_ring_that_is_nearly_empty_gets_a_hop_before_it_is_heard(
    script: Script, callback_hops: float
) -> None:
    """Half of what the loudspeaker takes at once: one more that is as late is heard."""
    seen = EASY | {"callback_hops": callback_hops}
    assert script.run(10, **seen | {"least_fill": 0.52 * callback_hops}) == []
    (made,) = script.run(1, **seen | {"least_fill": 0.48 * callback_hops})
    assert (made.what, made.after) == ("reserve", 1)
    assert made.reason.startswith("output ring low")


def test_a_hop_of_delay_that_is_of_use_stays(script: Script) -> None:
    """Callbacks that are late by more than the ring holds without it, once in five seconds."""
    script.run(1, **SPIKY)
    for _ in range(20):
        assert script.run(4.9, **EASY) == []
        assert script.run(0.1, **EASY | {"least_fill": 0.7}) == []
    assert steps(script.run(10.5, **EASY)) == [("reserve", 1, 0)]


def test_the_hop_is_taken_back_after_ten_calm_seconds(script: Script) -> None:
    (added,) = script.run(5, **SPIKY)
    (taken,) = script.run(30, **EASY)
    assert (taken.what, taken.before, taken.after) == ("reserve", 1, 0)
    assert 10 <= taken.seconds - 5 <= 10.5
    assert "p99 9.50 of 10.0 ms" in added.reason
    assert "calm for 10 s" in taken.reason


def test_a_load_that_lasts_takes_the_ladder_down_and_up_again(script: Script) -> None:
    down = script.run(20, xruns_per_s=4, **LATE)
    assert steps(down)[:3] == [("reserve", 0, 1), ("tier", "base", "nano"), ("bypass", False, True)]
    assert {d.what for d in down[3:]} <= {"bypass"}  # tried again, in vain
    assert down[2].seconds - down[0].seconds <= 6
    up = script.run(120, **EASY)
    assert steps(up)[-3:] == [
        ("bypass", True, False),
        ("reserve", 1, 0),
        ("tier", "nano", "base"),
    ]


def test_a_smaller_tier_that_is_fast_enough_is_kept_until_there_is_room(script: Script) -> None:
    script.run(6, **SLOW)
    assert script.governor.tier == "nano"
    # The median of nano is low, but base would take 4 * 90 / 53 = 6.8 ms: too little room.
    assert "tier" not in {d.what for d in script.run(300, p50_ms=4.0, p99_ms=5.0)}
    # 5.9 ms would do, but while base is warmed both run: 9.4 ms.
    assert script.run(300, p50_ms=3.5, p99_ms=5.0) == []
    (up,) = script.run(60, p50_ms=2.0, p99_ms=3.0)
    assert (up.what, up.after) == ("tier", "base")
    assert "3.40 of 10.0 ms expected" in up.reason


def test_pauses_do_not_make_a_larger_tier_look_cheap(script: Script) -> None:
    script.run(6, **SLOW)
    assert script.governor.tier == "nano"
    silent = script.run(120, least_fill=1.2)  # nobody speaks: the model rests, nothing is measured
    assert steps(silent) == [("reserve", 1, 0)]
    for _ in range(30):  # a second of speech in ten
        assert script.run(1, p50_ms=4.0, p99_ms=5.0) == []
        assert script.run(9, p50_ms=0.1, p99_ms=5.0) == []
    assert steps(script.run(100, **EASY)) == [("tier", "nano", "base")]


def test_one_xrun_costs_delay_a_storm_the_tier(script: Script) -> None:
    script.run(2, **EASY)
    script.xruns += 1
    assert steps(script.run(8, **EASY)) == [("reserve", 0, 1)]
    script.xruns += 1
    assert script.run(4, **EASY) == []  # one more, with the reserve in place, is bad luck
    script.xruns += 3
    (made,) = script.run(3, **EASY)
    assert steps([made]) == [("tier", "base", "nano")]
    assert made.reason.startswith("4 xruns in 5 s")


def test_xruns_that_are_not_the_steps_fault_cost_delay_alone(script: Script) -> None:
    idle = {"p50_ms": 0.3, "p99_ms": 0.9, "least_fill": 0.0}
    assert steps(script.run(60, xruns_per_s=5, **idle)) == [("reserve", 0, 1)]
    assert (script.governor.tier, script.governor.bypassed) == ("base", False)


def test_heat_lowers_the_limit_and_keeps_the_smaller_tier(script: Script) -> None:
    warm = {"p50_ms": 6.0, "p99_ms": 7.0, "least_fill": 1.2}
    assert script.run(60, temperature_c=75.0, throttled="0x50000", **warm) == []
    made = script.run(10, temperature_c=82.5, **warm)
    assert steps(made) == [("reserve", 0, 1), ("tier", "base", "nano")]
    assert "82.5 C of 80" in made[1].reason
    assert "limit 50% of a hop" in made[1].reason
    hot = script.run(120, temperature_c=81.0, p50_ms=2.0, p99_ms=3.0)
    assert steps(hot) == [("reserve", 1, 0)]
    assert steps(script.run(60, temperature_c=70.0, **EASY)) == [("tier", "nano", "base")]


@pytest.mark.parametrize(
    ("bits", "now"), [("0x4", True), ("0x50005", True), ("50000", False), ("?", False)]
)
def test_throttle_bits_count_while_they_hold(bits: str, now: bool) -> None:
    assert Observation(0, HOP_MS, throttled=bits).throttled_now is now


def test_heat_alone_changes_nothing(script: Script) -> None:
    assert script.run(600, temperature_c=95.0, throttled="0xf", **EASY) == []


def test_a_cold_processor_is_not_needed_to_leave_bypass(script: Script) -> None:
    script.run(10, xruns_per_s=5, **LATE)
    assert script.governor.bypassed
    made = script.run(60, temperature_c=90.0)
    assert ("bypass", True, False) in steps(made)


@pytest.mark.parametrize("period", [4, 11, 13, 25, 45, 70, 150])
def test_a_flapping_load_does_not_make_it_flap(script: Script, period: int) -> None:
    """Ten minutes of slow and easy seconds in turns: switches become rarer, not periodic."""
    seconds = 0
    while seconds < 600:
        script.run(period / 2, xruns_per_s=1, **(SLOW if script.governor.tier == "base" else SPIKY))
        script.run(period / 2, **EASY)
        seconds += period
    switches = [d for d in script.decisions if d.what != "reserve"]
    assert len(switches) <= 16
    assert len(script.decisions) <= 30
    half = [d for d in switches if d.seconds > 300]
    assert len(half) <= 6


def test_nothing_is_decided_while_a_device_is_gone(script: Script) -> None:
    assert script.run(20, xruns_per_s=20, running=False, **LATE) == []
    assert script.run(3, **EASY) == []


def test_a_clock_set_back_ends_no_wait(script: Script) -> None:
    script.run(5, **SPIKY)
    script.now -= 1000
    assert script.run(900, **EASY) == []


def test_limits_can_rule_steps_out() -> None:
    script = Script(Governor(TIERS, GovernorSettings(reserve_hops=0, bypass=False)))
    assert steps(script.run(300, xruns_per_s=5, **LATE)) == [("tier", "base", "nano")]
    alone = Script(Governor({"base": 1.0}, GovernorSettings(bypass=False, reserve_hops=2)))
    assert steps(alone.run(60, **LATE)) == [("reserve", 0, 1), ("reserve", 1, 2)]


def test_it_carries_decisions_out_and_writes_them_down() -> None:
    calls: list[tuple[str, object]] = []

    class Recorder:
        def set_reserve_hops(self, hops: int) -> None:
            calls.append(("reserve", hops))

        def set_buffer(self, factor: int) -> None:
            calls.append(("buffer", factor))

        def select_tier(self, name: str) -> None:
            calls.append(("tier", name))

        def set_bypass(self, on: bool) -> None:
            calls.append(("bypass", on))

    lines: list[tuple[str, dict[str, object]]] = []
    governor, now = Governor(TIERS), 0.0
    while len(calls) < 3:
        now += 0.1
        seen = Observation(now, HOP_MS, xruns=int(5 * now), **LATE)
        governor.govern(seen, Recorder(), lambda event, **values: lines.append((event, values)))
    assert calls == [("reserve", 1), ("tier", "nano"), ("bypass", True)]
    assert [(event, values["what"]) for event, values in lines] == [
        ("governor", "reserve"), ("governor", "tier"), ("governor", "bypass")
    ]  # fmt: skip
    assert lines[1][1]["from"] == "base"
    assert lines[1][1]["to"] == "nano"


# No subnormal numbers: a library that flushes them to zero may be loaded in this process.
milliseconds = st.one_of(st.none(), st.floats(0, 50, allow_subnormal=False))
observations = st.builds(
    dict,
    pause=st.sampled_from([0.1, 0.1, 0.1, 1.0, 30.0, -5.0]),
    xruns=st.integers(-3, 5),
    p50_ms=milliseconds,
    p99_ms=milliseconds,
    least_fill=st.one_of(st.none(), st.floats(0, 3, allow_subnormal=False)),
    temperature_c=st.one_of(st.none(), st.floats(-20, 120, allow_subnormal=False)),
    throttled=st.sampled_from([None, "0x0", "0x4", "0x50005", "nonsense", ""]),
    running=st.sampled_from([True, True, True, False]),
    starved=st.integers(0, 6),
)


@settings(max_examples=60, deadline=None)
@given(
    script=st.lists(st.tuples(observations, st.integers(1, 40)), max_size=25),
    tiers=st.integers(1, 4),
    reserve=st.integers(0, 3),
)
def test_whatever_is_observed_it_stays_within_its_states(
    script: list[tuple[dict[str, Any], int]], tiers: int, reserve: int
) -> None:
    names = [f"t{index}" for index in range(tiers)]
    governor = Governor(
        dict(zip(names, range(tiers, 0, -1), strict=True)), GovernorSettings(reserve_hops=reserve)
    )
    state: dict[str, object] = {"reserve": 0, "buffer": 1, "tier": names[0], "bypass": False}
    last, shown = float("-inf"), 0.0
    for made in decisions(governor, script):
        assert made.before == state[made.what]
        assert made.after != made.before
        state[made.what] = made.after
        assert made.reason
        assert "\n" not in made.reason
        assert made.seconds - last >= governor.settings.settle_s - 1e-9
        last = made.seconds
        shown += 1
    assert 0 <= governor.reserve_hops <= reserve
    assert state == {
        "reserve": governor.reserve_hops, "buffer": governor.buffer,
        "tier": governor.tier, "bypass": governor.bypassed,
    }  # fmt: skip


def decisions(governor: Governor, script: list[tuple[dict[str, Any], int]]) -> Iterator[Decision]:
    now, xruns = 0.0, 0
    for seen, times in script:
        values = dict(seen)
        pause, more = values.pop("pause"), values.pop("xruns")
        for _ in range(times):
            now, xruns = now + pause, max(0, xruns + more)
            made = governor.observe(Observation(now, HOP_MS, xruns=xruns, **values))
            if made:
                yield made


def test_a_wait_doubles_to_its_limit_and_is_forgotten() -> None:
    wait = Backoff(10, 50, 100)
    for expected in (20, 40, 50, 50):
        wait.tried(0)
        wait.failed(99)
        assert wait.wait_s == expected
    wait.tried(0)
    wait.failed(100)
    assert wait.wait_s == 10


def test_a_count_knows_the_last_seconds_and_resets() -> None:
    recent = RecentCount(5.0)
    assert [recent.count(t, total) for t, total in ((0, 7), (1, 9), (4, 10))] == [0, 2, 3]
    assert recent.count(6.5, 10) == 1
    assert recent.count(7, 0) == 1  # the counter began again
    assert recent.count(8, 2) == 3


def parse(*words: str) -> GovernorOptions:
    parser = argparse.ArgumentParser()
    add_governor_options(parser)
    return GovernorOptions.from_arguments(parser.parse_args(words))


def test_arguments_become_settings() -> None:
    assert parse() == GovernorOptions(True, GovernorSettings())
    given = parse("--no-governor", "--busy", "40", "--hot", "70", "--extra-delay", "2")
    assert not given.enabled
    assert given.settings == GovernorSettings(busy=0.4, calm=0.3, hot_c=70.0, reserve_hops=2)
    assert not parse("--no-auto-bypass").settings.bypass


@pytest.mark.parametrize("words", [("--busy", "5"), ("--hot", "nan"), ("--extra-delay", "9")])
def test_impossible_limits_are_refused(
    words: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(*words)
    assert words[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    "make",
    [
        lambda: GovernorSettings(calm=0.9),
        lambda: GovernorSettings(reserve_hops=-1),
        lambda: Governor({}),
    ],
)
def test_settings_that_contradict_each_other(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"calm|reserve_hops|no tiers"):
        make()

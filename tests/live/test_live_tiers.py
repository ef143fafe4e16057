"""A converter over several students: switches that are not heard, tiers that cost nothing idle."""

from __future__ import annotations

import threading
from typing import Any, cast

import numpy as np
import pytest
from delay_line import HOP, DelayLine

from edge_vc.assets import bundle_path
from edge_vc_runtime import Session
from edge_vc_runtime.tiers.priming import PRIMING_HOPS
from edge_vc_runtime.tiers.tiers import CLIMB_HOPS, COLD_HOPS, FADE_HOPS, WARM_HOPS, TieredConverter


def tiered(*lines: DelayLine, start: str | None = None) -> TieredConverter:
    return TieredConverter(cast(list[Session], list(lines)), start)


def converted(converter: Any, audio: np.ndarray) -> np.ndarray:
    return np.concatenate([converter.step(hop).copy() for hop in audio.reshape(-1, HOP)])


def noise(hops: int, level: float = 0.1) -> np.ndarray:
    return np.random.default_rng(2).normal(0, level, hops * HOP).astype(np.float32)


def test_tiers_are_aligned_to_the_largest_delay() -> None:
    """Both tiers pass their input on: through the switch and after it, it is that input."""
    converter = tiered(DelayLine("nano", 1.0, 40), DelayLine("base", 2.0, 400))
    assert (converter.delay, converter.tiers, converter.tier) == (400, ("base", "nano"), "base")
    audio = noise(120)
    pieces = [converted(converter, audio[: 20 * HOP])]
    converter.select("nano")
    pieces.append(converted(converter, audio[20 * HOP :]))
    assert converter.tier == "nano"
    made = np.concatenate(pieces)
    assert np.abs(made[400:] - audio[:-400]).max() < 1e-6


def test_a_switch_waits_for_the_coming_tier_and_then_fades() -> None:
    converter = tiered(DelayLine("base", 2.0, 0), DelayLine("nano", 1.0, 0, gain=0.5))
    converter.select("nano")
    audio = np.full(100 * HOP, 0.1, np.float32)
    hops = converted(converter, audio).reshape(-1, HOP)
    assert np.allclose(hops[:COLD_HOPS], 0.1)
    fading = hops[COLD_HOPS : COLD_HOPS + FADE_HOPS].ravel()
    assert (np.diff(fading) <= 1e-7).all()
    assert np.abs(np.diff(hops.ravel())).max() < 2e-4  # no step anywhere
    assert np.allclose(hops[COLD_HOPS + FADE_HOPS :], 0.05)
    assert not converter.switching


def test_idle_tiers_are_not_stepped_but_for_two_seconds_once() -> None:
    base, nano = DelayLine("base", 2.0, 0), DelayLine("nano", 1.0, 0)
    converter = tiered(base, nano)
    converted(converter, noise(100, level=1e-4))
    assert nano.steps == 0  # nobody has spoken yet
    converted(converter, noise(PRIMING_HOPS - 100))
    assert nano.steps == 0
    converted(converter, noise(100))
    assert nano.steps == 25  # one step in four hops
    converted(converter, noise(4 * PRIMING_HOPS))
    assert nano.steps == PRIMING_HOPS
    converted(converter, noise(500))
    assert nano.steps == PRIMING_HOPS
    converter.select("nano")
    converted(converter, noise(WARM_HOPS + FADE_HOPS))
    assert converter.tier == "nano"
    before = base.steps
    converted(converter, noise(200))
    assert base.steps == before
    converter.select("base")
    converted(converter, noise(CLIMB_HOPS + FADE_HOPS))
    assert converter.tier == "base"


def test_a_tier_that_was_heard_once_is_warm_from_then_on() -> None:
    converter = tiered(DelayLine("base", 2.0, 0), DelayLine("nano", 1.0, 0))
    for name, hops in (("nano", COLD_HOPS), ("base", CLIMB_HOPS), ("nano", WARM_HOPS)):
        converter.select(name)
        converted(converter, noise(hops + FADE_HOPS - 1, level=1e-4))
        assert converter.tier != name
        converted(converter, noise(1, level=1e-4))
        assert converter.tier == name


def test_a_choice_taken_back_before_it_is_heard_changes_nothing() -> None:
    converter = tiered(DelayLine("base", 2.0, 0), DelayLine("nano", 1.0, 0, gain=0.0))
    audio = noise(100)
    converter.select("nano")
    first = converted(converter, audio[: 20 * HOP])
    converter.select("base")
    assert np.array_equal(np.concatenate([first, converted(converter, audio[20 * HOP :])]), audio)


def test_a_fade_is_finished_before_the_next_begins() -> None:
    converter = tiered(
        DelayLine("wide", 3.0, 0), DelayLine("base", 2.0, 0), DelayLine("nano", 1.0, 0, gain=0.0)
    )
    audio = np.full(HOP, 0.1, np.float32)
    converter.select("nano")
    for _ in range(COLD_HOPS + 2):
        converter.step(audio)
    converter.select("base")
    made = np.concatenate([converter.step(audio).copy() for _ in range(CLIMB_HOPS + 10)])
    assert converter.tier == "base"
    assert np.abs(np.diff(made)).max() < 4e-4


def test_reset_ends_a_switch_and_silences_every_tier() -> None:
    base, nano = DelayLine("base", 2.0, 80), DelayLine("nano", 1.0, 0)
    converter = tiered(base, nano)
    converted(converter, noise(10))
    converter.select("nano")
    converted(converter, noise(COLD_HOPS + 2))
    converter.reset()
    assert converter.tier == "nano"
    assert not converter.switching
    assert not base.line.any()
    assert not converted(converter, np.zeros(HOP, np.float32)).any()


def test_tiers_are_selected_from_another_thread() -> None:
    converter = tiered(DelayLine("base", 2.0, 0), DelayLine("nano", 1.0, 0))
    audio, end = noise(1), threading.Event()

    def choose() -> None:
        for turn in range(400):
            converter.select(converter.tiers[turn % 2])
        end.set()

    thread = threading.Thread(target=choose)
    thread.start()
    while not end.is_set():
        assert np.abs(converter.step(audio) - audio).max() < 1e-6
    thread.join()


def test_what_does_not_belong_together_is_refused() -> None:
    base = DelayLine("base", 2.0, 0)
    with pytest.raises(ValueError, match="at least one"):
        tiered()
    with pytest.raises(ValueError, match="give each once"):
        tiered(base, DelayLine("base", 1.0, 0))
    with pytest.raises(ValueError, match="hop is 160 in base, 320 in nano"):
        tiered(base, DelayLine("nano", 1.0, 0, hop=320))
    with pytest.raises(ValueError, match="'wide': choose from base"):
        tiered(base).select("wide")


@pytest.fixture(scope="module")
def sessions() -> tuple[Session, Session]:
    """The shipped students; in this order, so that the converter has to sort them."""
    base, nano = (Session.open(bundle_path(f"kathleen-{name}")) for name in ("nano", "base"))
    return base, nano


def test_a_switch_between_the_shipped_students_is_not_heard(
    sessions: tuple[Session, Session], arctic: np.ndarray
) -> None:
    """Level and roughness stay those of the students alone, wherever in speech it switches."""
    audio = np.tile(arctic[: 3 * 16000], 6)
    alone = []
    for session in sessions:
        session.reset()
        alone.append(converted(session, audio))
    steps = []
    for first in range(1105, 1265, 20):
        made, switches = switched(sessions, audio, (first, first + 160))
        assert switches == [first + WARM_HOPS, first + 160 + CLIMB_HOPS]
        for begin in switches:
            fade = slice(begin * HOP, (begin + FADE_HOPS) * HOP)
            around = slice((begin - 2) * HOP, (begin + FADE_HOPS + 2) * HOP)
            levels = [level_db(each[fade]) for each in alone]
            if min(levels) > -40:  # somebody speaks
                steps.append(level_db(made[fade]) - np.mean(levels))
            assert roughest(made[around]) < 1.3 * max(roughest(each[around]) for each in alone)
    assert len(steps) >= 8
    assert abs(np.mean(steps)) < 1
    assert np.abs(steps).max() < 2  # unrelated sounds would dip by 3


def switched(
    sessions: tuple[Session, Session], audio: np.ndarray, hops: tuple[int, int]
) -> tuple[np.ndarray, list[int]]:
    """Convert ``audio``, moving to the other student at ``hops``; return where the fades begin."""
    for session in sessions:
        session.reset()
    converter = TieredConverter(sessions)
    assert (converter.tiers, converter.tier) == (("base", "nano"), "base")
    pieces, switches = [], []
    for index, hop in enumerate(audio.reshape(-1, HOP)):
        if index in hops:
            converter.select("nano" if converter.tier == "base" else "base")
        was = converter.tier
        pieces.append(converter.step(hop).copy())
        if converter.tier != was:
            switches.append(index + 1 - FADE_HOPS)
    return np.concatenate(pieces), switches


def level_db(audio: np.ndarray) -> float:
    return float(10 * np.log10(np.square(audio).mean() + 1e-12))


def roughest(audio: np.ndarray) -> float:
    """The largest second difference: a click has one that the sound itself has nowhere."""
    return float(np.abs(np.diff(audio, 2)).max())


def test_primed_tiers_answer_at_the_speakers_level(
    sessions: tuple[Session, Session], arctic: np.ndarray
) -> None:
    """Cold, nano would be 17 dB too quiet for the first 0.1 s."""
    nano, base = sessions
    audio = np.tile(arctic[: 3 * 16000], 5)
    nano.reset()
    alone = converted(nano, audio)
    for session in sessions:
        session.reset()
    converter = TieredConverter([base, nano])
    first = 1105
    converted(converter, audio[: first * HOP])
    converter.select("nano")
    rest = converted(converter, audio[first * HOP : (first + 40) * HOP])
    begin = WARM_HOPS + FADE_HOPS
    heard = level_db(rest[begin * HOP :])
    assert heard == pytest.approx(
        level_db(alone[(first + begin) * HOP : (first + 40) * HOP]), abs=3
    )

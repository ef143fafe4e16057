"""Delay that is added and taken back hop by hop, and the crossfade that hides the seams."""

from __future__ import annotations

import numpy as np
import pytest

from edge_vc_runtime.live.crossfade import Crossfade, correlation
from edge_vc_runtime.live.elastic import ElasticHops

HOP, RATE = 160, 16000


def passed(elastic: ElasticHops, audio: np.ndarray) -> np.ndarray:
    return np.concatenate([elastic.push(hop).copy() for hop in audio.reshape(-1, HOP)])


def tone(hz: float, seconds: float) -> np.ndarray:
    times = np.arange(round(seconds * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * hz * times)).astype(np.float32)


def roughest(audio: np.ndarray) -> float:
    """The largest second difference: a click is one that the sound itself has nowhere."""
    return float(np.abs(np.diff(audio, 2)).max())


def test_untouched_audio_passes_untouched() -> None:
    elastic = ElasticHops(HOP)
    audio = tone(170, 1.0)
    assert elastic.push(audio[:HOP]) is not None
    assert np.array_equal(passed(elastic, audio), audio)


@pytest.mark.parametrize("hz", [100.0, 137.0, 250.0, 333.0])
def test_hops_are_added_and_taken_back_without_a_click(hz: float) -> None:
    elastic = ElasticHops(HOP)
    audio = tone(hz, 4.0)
    pieces = [passed(elastic, audio[:16000])]
    elastic.set_hops(2)
    pieces.append(passed(elastic, audio[16000:32000]))
    assert pieces[1].size == 16000 + 2 * HOP
    elastic.set_hops(0)
    pieces.append(passed(elastic, audio[32000:]))
    assert pieces[2].size == 32000 - 2 * HOP
    made = np.concatenate(pieces)
    assert roughest(made) < 3 * roughest(audio)
    # After each change it is the input again, at the delay that was asked for.
    assert np.array_equal(pieces[1][-HOP:], audio[32000 - HOP : 32000])
    assert np.array_equal(pieces[2][-HOP:], audio[-HOP:])


def test_a_recorded_voice_keeps_its_level_where_a_hop_is_added(arctic: np.ndarray) -> None:
    audio = arctic[: arctic.size // HOP * HOP]
    for start in range(40, 300, 20):
        elastic = ElasticHops(HOP)
        before = passed(elastic, audio[: start * HOP])
        elastic.set_hops(1)
        rest = audio[start * HOP : (start + 40) * HOP]
        after = passed(elastic, rest)
        assert after.size == rest.size + HOP
        made = np.concatenate([before[-4 * HOP :], after])
        assert roughest(made) < 1.5 * roughest(audio[(start - 4) * HOP : (start + 41) * HOP])


def test_it_waits_for_hops_that_are_alike_but_not_for_ever() -> None:
    """57 Hz: neighbouring hops of 10 ms are out of phase, so that only patience ends the wait."""
    elastic = ElasticHops(HOP)
    elastic.set_hops(1)
    audio = tone(57, 0.2)
    assert passed(elastic, audio).size == audio.size
    assert elastic.pending == 1
    assert passed(elastic, audio).size == audio.size + HOP
    assert (elastic.pending, elastic.hops) == (0, 1)
    steady = ElasticHops(HOP)
    steady.set_hops(1)
    passed(steady, tone(100, 0.02))
    assert steady.pending == 0


def test_dropping_after_a_stall_leaves_the_reserve_alone() -> None:
    elastic = ElasticHops(HOP)
    elastic.set_hops(1)
    audio = tone(200, 1.0)
    assert passed(elastic, audio).size == audio.size + HOP
    elastic.drop(5)
    assert passed(elastic, audio).size == audio.size - 5 * HOP
    assert elastic.hops == 1


def test_what_is_too_much_serves_as_the_hop_that_is_asked_for() -> None:
    elastic = ElasticHops(HOP)
    elastic.drop(1)
    elastic.set_hops(1)
    audio = tone(200, 0.5)
    assert np.array_equal(passed(elastic, audio), audio)
    assert (elastic.placed, elastic.excess, elastic.pending) == (1, 0, 0)


def test_reset_forgets_what_was_to_be_done() -> None:
    elastic = ElasticHops(HOP)
    elastic.push(tone(200, 0.01))
    elastic.set_hops(3)
    elastic.drop(1)
    elastic.reset()
    audio = tone(200, 0.5)
    assert np.array_equal(passed(elastic, audio), audio)
    with pytest.raises(ValueError, match="-1 hops"):
        elastic.set_hops(-1)


@pytest.mark.parametrize("alike", [1.0, 0.7, 0.0, -0.4])
def test_a_crossfade_keeps_the_level_however_alike_the_sounds_are(alike: float) -> None:
    rng = np.random.default_rng(4)
    a, other = rng.normal(0, 0.1, (2, 40 * HOP)).astype(np.float32)
    b = (alike * a + np.sqrt(1 - alike**2) * other).astype(np.float32)
    fade, out = Crossfade(HOP, 40), np.empty(40 * HOP, np.float32)
    fade.start()
    for at in range(0, a.size, HOP):
        assert not fade.done
        fade.mix(a[at : at + HOP], b[at : at + HOP], out[at : at + HOP])
    assert fade.done
    levels = 20 * np.log10(out.reshape(-1, 4 * HOP).std(axis=1) / 0.1)
    assert np.abs(levels).max() < 1  # the noise itself moves by 0.8
    assert np.abs(out[:20] - a[:20]).max() < 1e-3
    assert np.abs(out[-20:] - b[-20:]).max() < 1e-3


def test_a_crossfade_has_no_steps_between_hops() -> None:
    """Correlation jumps from 1 to -1 from hop to hop: the gain must not."""
    fade = Crossfade(HOP, 4)
    fade.start()
    a = tone(100, 0.04)
    b = a * np.repeat([1, -1, 1, 1], HOP).astype(np.float32)
    out = np.empty_like(a)
    for at in range(0, a.size, HOP):
        fade.mix(a[at : at + HOP], b[at : at + HOP], out[at : at + HOP])
    assert np.isfinite(out).all()
    assert np.abs(np.diff(out)).max() < 6 * np.abs(np.diff(a)).max()


def test_correlation_of_silence_and_of_what_is_not_finite() -> None:
    silence = np.zeros(HOP, np.float32)
    assert correlation(silence, tone(100, 0.01)) == 0
    assert correlation(np.full(HOP, np.nan, np.float32), tone(100, 0.01)) == 0
    assert correlation(tone(100, 0.01), tone(100, 0.01)) == pytest.approx(1)

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from voices import voice

from edge_vc.audio.io import AudioError
from edge_vc.labelling.delay import (
    DRIFT_MS,
    DelayEstimate,
    common_delay_ms,
    delay_to_undo,
    drift_ms,
    estimate_delay,
    undo_delay,
)
from edge_vc.labelling.label import Alignment, label_recording
from edge_vc.teachers.outliers import OutlierError


def shifted(audio, samples):
    """``audio`` later (earlier if negative), as long."""
    if samples >= 0:
        return np.pad(audio, (samples, 0))[: len(audio)]
    return np.pad(audio[-samples:], (0, -samples))


def other_voice(audio):
    """Brighter, noisier, louder: another waveform with the same rhythm."""
    rng = np.random.default_rng(1)
    return (3 * np.diff(audio, prepend=0) + 0.002 * rng.standard_normal(len(audio))).astype("f4")


@pytest.mark.parametrize("samples", [0, 7, 160, 613, 4000, -160, -2222])
def test_a_delay_is_found_within_two_milliseconds(samples):
    audio = voice(3.0)
    found = estimate_delay(audio, shifted(other_voice(audio), samples), 16000)
    assert found.ms == pytest.approx(samples / 16, abs=2)
    assert found.sure


@pytest.mark.parametrize("rate", [16000, 22050, 44100])
def test_the_rate_does_not_matter(rate):
    audio = voice(3.0, rate=rate)
    found = estimate_delay(audio, shifted(audio, round(0.05 * rate)), rate)
    assert found.ms == pytest.approx(50, abs=1)


def test_real_speech_is_found_too():
    import pysptk

    audio, rate = soundfile.read(pysptk.util.example_audio_file(), dtype="float32")
    found = estimate_delay(audio, shifted(other_voice(audio), 600), rate)
    assert found.ms == pytest.approx(37.5, abs=2)
    assert found.sure


def test_other_speech_and_silence_are_not_believed():
    audio = voice(3.0)
    assert not estimate_delay(audio, voice(3.0, seed=5), 16000).sure
    assert estimate_delay(audio, np.zeros_like(audio), 16000) == DelayEstimate(0.0, 0.0)
    assert estimate_delay(np.zeros_like(audio), audio, 16000).correlation == 0


def delays(*ms: float) -> list[DelayEstimate]:
    return [DelayEstimate(value, 0.9) for value in ms]


@pytest.mark.parametrize(
    ("found", "common"),
    [
        (delays(37, 38, 39, 37.5, 500), 38),
        (delays(1, -2, 2, 0.5), 0.0),
        (delays(10, 40, 70, 100), None),
        ([DelayEstimate(37, 0.2), DelayEstimate(38, 0.1)], None),
        ([], None),
    ],
    ids=["one stray", "none", "no common one", "none sure", "nothing"],
)
def test_a_teacher_has_one_delay_or_none(found, common):
    assert common_delay_ms(found) == common


@pytest.mark.parametrize(
    ("own", "common", "undone"),
    [
        (DelayEstimate(39, 0.9), 38.0, 38.0),
        (DelayEstimate(80, 0.9), 38.0, 80),
        (DelayEstimate(80, 0.2), 38.0, 38.0),
        (DelayEstimate(80, 0.9), None, 80),
        (DelayEstimate(2, 0.9), None, 0.0),
        (DelayEstimate(80, 0.2), None, 0.0),
    ],
)
def test_a_recordings_own_delay_wins_where_it_is_sure_and_far(own, common, undone):
    assert delay_to_undo(own, common) == undone


@pytest.mark.parametrize("late", [0, 100, -100])
def test_both_lose_what_the_other_lacks(late):
    audio = voice(0.5)
    source, output = undo_delay(audio, shifted(audio, late), late)
    assert len(source) == len(output) == len(audio) - abs(late)
    np.testing.assert_array_equal(source, output)


def test_a_delay_longer_than_the_recording_is_refused():
    with pytest.raises(AudioError, match="leaves nothing"):
        undo_delay(voice(0.1), voice(0.1), 1600)


def lossy(audio, rate):
    """10 ms are lost at every cut after 4 s, the end is padded."""
    cut = 4 * rate
    kept = np.concatenate([audio[s : s + cut - rate // 100] for s in range(0, len(audio), cut)])
    return np.pad(kept, (0, len(audio) - len(kept)))


def gains(audio, rate):
    """10 ms are said twice at every cut, the end is lost."""
    cut = 4 * rate
    pieces = [
        np.concatenate([audio[s : s + cut], audio[s + cut - rate // 100 : s + cut]])
        for s in range(0, len(audio), cut)
    ]
    return np.concatenate(pieces)[: len(audio)]


def stretched(audio, share):
    length = int(len(audio) * share)
    found = np.interp(np.linspace(0, len(audio) - 1, length), np.arange(len(audio)), audio)
    return np.pad(found, (0, max(0, len(audio) - length)))[: len(audio)].astype("f4")


DRIFTS = {
    "loses": lossy,
    "gains": gains,
    "shrinks": lambda audio, rate: stretched(audio, 0.98),
    "grows": lambda audio, rate: stretched(audio, 1.01),
}


@pytest.mark.parametrize("rate", [16000])
@pytest.mark.parametrize("kind", DRIFTS)
def test_an_output_that_drifts_is_told_from_a_late_one(kind, rate):
    audio = voice(14.0, rate=rate)
    assert drift_ms(audio, DRIFTS[kind](other_voice(audio), rate), rate) > DRIFT_MS
    late = shifted(other_voice(audio), rate // 20)
    assert drift_ms(audio[: -rate // 20], late[rate // 20 :], rate) < 2.0


def test_too_little_to_tell_is_no_drift():
    audio = voice(2.0)
    assert drift_ms(audio, stretched(audio, 0.98), 16000) == 0.0
    assert drift_ms(voice(9.0), np.zeros(9 * 16000, np.float32), 16000) == 0.0


@pytest.mark.parametrize(("kind", "rate"), [("loses", 16000), ("shrinks", 22050)])
def test_a_recording_whose_output_drifts_is_left_out(kind, rate):
    """Of any teacher that answers with a waveform, at the labels' rate or another."""
    teacher = SimpleNamespace(
        sample_rate=rate, convert=lambda heard: DRIFTS[kind](0.8 * heard, rate)
    )
    with pytest.raises(OutlierError, match="its delay changes by") as caught:
        label_recording(teacher, voice(14.0, rate=rate), Alignment())
    assert caught.value.reason == "drift"


def test_a_recording_whose_output_is_late_is_kept():
    teacher = SimpleNamespace(sample_rate=16000, convert=lambda heard: shifted(0.8 * heard, 900))
    found = label_recording(teacher, voice(14.0), Alignment())
    assert found.undone_ms == pytest.approx(56, abs=2)

"""One recording and one output: aligned, at 16 kHz, and sound, or left out for a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from test_labelling_delay import other_voice, shifted
from voices import Audio, voice

from edge_vc.labelling.label import Alignment, label_recording
from edge_vc.teachers.outliers import REASONS, OutlierError, check_sound, measure_soundness


@dataclass
class Toy:
    """A teacher of one line."""

    convert: Callable[[Audio], Audio]
    sample_rate: int = 16000


def test_what_is_late_is_moved_and_said():
    teacher = Toy(lambda a: shifted(other_voice(a), 600))
    done = label_recording(teacher, voice(3.0), Alignment(common_ms=37.5))
    assert done.undone_ms == 37.5
    assert done.delay.ms == pytest.approx(37.5, abs=2)
    # 600 samples less, in whole hops.
    assert done.labels.source.shape == done.labels.target.shape == (47360,)
    assert done.labels.f0.shape == (296,)
    aligned = label_recording(Toy(other_voice), voice(3.0), Alignment())
    error = aligned.labels.target[:47360].astype(float) - done.labels.target
    # The noise of the toy is not shifted by the same amount.
    assert np.sqrt(np.mean(error**2)) < 0.05 * np.sqrt(
        np.mean(aligned.labels.target.astype(float) ** 2)
    )


def test_nothing_is_moved_unless_asked():
    teacher = Toy(lambda a: shifted(a, 600))
    done = label_recording(teacher, voice(3.0), Alignment(correct=False, common_ms=37.5))
    assert done.undone_ms == 0
    assert done.delay.ms == pytest.approx(37.5, abs=2)
    assert len(done.labels.target) == 48000


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_a_teacher_at_another_rate_labels_at_16_khz(rate):
    done = label_recording(Toy(lambda a: 0.5 * a, rate), voice(2.0, rate=rate), Alignment())
    assert done.labels.source.shape == (32000,)
    np.testing.assert_allclose(done.labels.target, done.labels.source / 2, atol=2)
    assert np.median(done.labels.f0[done.labels.f0 > 0]) == pytest.approx(120, rel=0.1)


def gap(audio: Audio) -> Audio:
    kept = audio.copy()
    kept[len(kept) // 4 : 3 * len(kept) // 4] = 0
    return kept


@pytest.mark.parametrize(
    ("convert", "reason"),
    [
        (lambda a: a[:-1], "wrong length"),
        (lambda a: a * np.float32("inf"), "not a number"),
        (lambda a: 1e-5 * a, "silent"),
        (np.zeros_like, "silent"),
        (lambda a: np.clip(100 * a, -1, 1), "clipped"),
        (gap, "speech lost"),
        (lambda a: voice(len(a) / 16000, seed=7), "other speech"),
    ],
)
def test_an_output_that_teaches_nothing_has_a_reason(convert, reason):
    with pytest.raises(OutlierError) as caught:
        label_recording(Toy(convert), voice(3.0), Alignment())
    assert caught.value.reason == reason
    assert reason in REASONS


def test_silence_is_not_shown_to_the_teacher():
    with pytest.raises(OutlierError, match="silent input"):
        label_recording(Toy(lambda a: a), np.zeros(16000, np.float32), Alignment())


@pytest.mark.parametrize("change", [other_voice, lambda a: 0.1 * a, lambda a: shifted(a, 400)])
def test_a_sound_output_passes(change):
    audio = voice(3.0)
    check_sound(measure_soundness(audio, change(audio), 16000), 0.9)

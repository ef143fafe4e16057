"""What comes back from a converter is fitted, or refused with the fact."""

from __future__ import annotations

import numpy as np
import pytest
from voices import voice

from edge_vc.audio.io import AudioError, resample
from edge_vc.teachers.outliers import OutlierError
from edge_vc.teachers.waveform_teacher import WaveformTeacher


@pytest.mark.parametrize("extra", [-320, -1, 0, 1, 320])
def test_a_few_samples_more_or_less_are_made_up_for(extra):
    audio = voice(0.5)
    longer = np.pad(audio, (0, 320))
    output = WaveformTeacher(lambda _: longer[: len(audio) + extra], 16000).convert(audio)
    assert output.shape == audio.shape
    kept = len(audio) + min(extra, 0)
    np.testing.assert_array_equal(output[:kept], audio[:kept])


def test_an_output_at_another_rate_is_resampled_if_that_is_said():
    audio = voice(0.5)
    output = WaveformTeacher(lambda a: resample(a, 16000, 40000), 16000, 40000).convert(audio)
    assert output.shape == audio.shape
    error = output - audio
    assert float(np.sqrt(np.mean(error[800:-800] ** 2) / np.mean(audio**2))) < 0.05


@pytest.mark.parametrize(
    ("call", "reason", "fact"),
    [
        (lambda a: a[:-400], "wrong length", r"\[7600\] samples for \[8000\]"),
        (lambda a: np.repeat(a, 3), "wrong length", "as if at 48000 Hz: set output_sample_rate"),
        (lambda a: np.resize(a, 22050), "wrong length", "as if at 44100 Hz"),
        (lambda a: np.stack([a, a]), "wrong length", r"shape \[2, 8000\] is not one channel"),
        (lambda a: np.float32(3.0), "wrong length", r"shape \[\] is not one channel"),
        (lambda a: a * np.float32("nan"), "not a number", "8000 of 8000 samples"),
        (lambda a: (a * 100).astype(np.int16), "not a number", "int16"),
    ],
    ids=["short", "rate", "rate 44100", "stereo", "scalar", "nan", "integers"],
)
def test_a_bad_output_has_a_reason(call, reason, fact):
    with pytest.raises(OutlierError, match=fact) as caught:
        WaveformTeacher(lambda a: np.asarray(call(a)), 16000).convert(voice(0.5))
    assert caught.value.reason == reason


def test_lengths_are_padded_to_a_multiple():
    seen = []

    def call(audio):
        seen.append(len(audio))
        return audio

    audio = voice(0.5)[:7777]
    np.testing.assert_array_equal(WaveformTeacher(call, 16000, multiple=320).convert(audio), audio)
    assert seen == [8000]


@pytest.mark.parametrize("samples", [100, 4000, 4001, 7000, 13000])
def test_windows_of_one_length_join_without_a_seam(samples):
    lengths = set()

    def call(audio):
        lengths.add(len(audio))
        return audio

    audio = voice(1.0)[:samples]
    output = WaveformTeacher(call, 16000, window=4000).convert(audio)
    np.testing.assert_allclose(output, audio, atol=1e-6)
    assert lengths == {4000}


@pytest.mark.parametrize("shape", [(0,), (2, 800)])
def test_unusable_audio_is_named(shape):
    with pytest.raises(AudioError, match="mono"):
        WaveformTeacher(lambda a: a, 16000).convert(np.zeros(shape, np.float32))

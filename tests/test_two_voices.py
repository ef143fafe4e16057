"""The shipped bundle with two voices: its inputs do what they say, on a real sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_vc.assets import bundle_path
from edge_vc.audio.pitch import track_pitch
from edge_vc.audio.speaker_encoder import SpeakerEncoder, similarity
from edge_vc.evaluate.metrics.target_voice import load_centroid
from edge_vc_runtime import Session, convert_array
from edge_vc_runtime.bundle.input_spec import ModelInputError

RATE, HOP = 16_000, 80


@pytest.fixture(scope="module")
def session() -> Session:
    return Session.open(bundle_path("kathleen-flemish"))


def converted(session: Session, speech: np.ndarray, **inputs: Any) -> np.ndarray:
    for spec in session.inputs:
        session.set_vector(spec.name, np.array(spec.default, np.float32))
    for name, value in inputs.items():
        session.set(name, value)
    session.reset()
    return convert_array(session, speech)


def log_f0(audio: np.ndarray) -> np.ndarray:
    return np.log2(np.maximum(track_pitch(audio, RATE, HOP).f0, 1e-3))


def test_kathleen_is_the_default_and_blends_lie_between(
    session: Session, arctic: np.ndarray
) -> None:
    encoder, kathleen = SpeakerEncoder(), load_centroid()
    asked = [{}, {"voice": "kathleen"}, {"voice": (0.5, 0.5)}, {"voice": "flemish"}]
    made = [converted(session, arctic, **inputs) for inputs in asked]
    np.testing.assert_array_equal(made[0], made[1])
    likeness = [similarity(encoder.embed(audio, RATE), kathleen) for audio in made[1:]]
    assert likeness[0] > likeness[1] + 0.03 > likeness[2] + 0.06
    medians = [track_pitch(audio, RATE, HOP).median for audio in made[1:]]
    assert medians == sorted(medians, reverse=True)  # his voice is the lower one


@pytest.mark.parametrize("semitones", [-4.0, 3.0, 7.0])
def test_pitch_moves_f0_by_what_it_says(
    session: Session, arctic: np.ndarray, semitones: float
) -> None:
    plain, moved = (log_f0(converted(session, arctic, pitch=value)) for value in (0.0, semitones))
    both = (plain > 0) & (moved > 0)
    assert np.median(moved[both] - plain[both]) * 1200 == pytest.approx(100 * semitones, abs=5)


def test_intonation_scales_the_range_of_f0(session: Session, arctic: np.ndarray) -> None:
    spreads = []
    for value in (0.0, 0.5, 1.0, 1.5):
        contour = log_f0(converted(session, arctic, intonation=value))
        spreads.append(contour[contour > 0].std())
    assert spreads == sorted(spreads)
    assert spreads[3] > 1.2 * spreads[2] > 2 * spreads[0]


def test_breath_is_noise(session: Session, arctic: np.ndarray) -> None:
    powers = []
    for value in (-12.0, 0.0, 12.0):
        audio = converted(session, arctic, breath=value)
        spectrum = np.abs(np.fft.rfft(audio)) ** 2
        powers.append(spectrum[len(spectrum) * 3 // 4 :].sum() / spectrum.sum())
    assert powers == sorted(powers)


def test_styles_change_how_it_speaks(session: Session, arctic: np.ndarray) -> None:
    low, high = (
        converted(session, arctic, style=value) for value in ((-2.0, -2.0, 0.0), (2.0, 2.0, 0.0))
    )
    assert not np.allclose(low, high, atol=0.01)


@pytest.mark.parametrize(
    ("name", "value", "fact"),
    [
        ("voice", "walloon", "kathleen, flemish"),
        ("style", (9.0, 0.0, 0.0), "-2 to 2"),
        ("pitch", 99.0, "-12 to 12"),
    ],
)
def test_what_it_does_not_have_is_one_line(
    session: Session, name: str, value: Any, fact: str
) -> None:
    with pytest.raises(ModelInputError) as caught:
        session.set(name, value)
    assert fact in str(caught.value)
    assert "\n" not in str(caught.value)

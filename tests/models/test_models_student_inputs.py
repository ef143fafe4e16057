"""Conditioning inputs of a student: what each one does, streamed and at once."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from conditioned_toys import INPUTS, SMALL, conditioned_student
from torch import Tensor

from edge_vc.assets import ASSETS
from edge_vc.audio.pitch import track_pitch
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.file import load_student, save_student
from edge_vc.models.student.head import Prediction
from edge_vc.models.student.input_track import moving_inputs, track_tensors, varied_inputs
from edge_vc.models.student.inputs import HEAD_INPUTS, PITCH, STYLE, voice_input
from edge_vc.models.student.student import Student
from edge_vc.models.student.transforms.inputs_added import with_inputs
from edge_vc_export.parity.speech import example_speech

CENTS = 1200 / np.log(2)


def noise(frames: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return 0.1 * torch.randn(1, 1, 1, 160 * frames, generator=generator)


def constant(**values: object) -> dict[str, Tensor]:
    return {name: torch.tensor(v).float().reshape(1, -1, 1, 1) for name, v in values.items()}


@cache
def shipped() -> Student:
    """The shipped base student with the inputs that need no training."""
    trained = load_student(ASSETS / "kathleen-base.safetensors")
    return with_inputs(trained, list(HEAD_INPUTS.values()))


@cache
def speech() -> Tensor:
    return torch.from_numpy(example_speech(4.0, 16_000))[None, None, None]


@torch.no_grad()
def converted(**values: float) -> np.ndarray:
    return shipped()(speech(), constant(**values)).flatten().numpy()


@torch.no_grad()
def test_inputs_that_change_on_the_way_stream_as_they_run_at_once() -> None:
    student, audio = conditioned_student(), noise(100)
    track = moving_inputs(INPUTS, 100, every=15)
    whole = student(audio, track_tensors(track))
    state, parts, start = student.init_state(1), [], 0
    for frames in (1, 7, 1, 30, 61):
        here = {name: values[start : start + frames] for name, values in track.items()}
        piece = audio[..., 160 * start : 160 * (start + frames)]
        y, state = student.step(piece, state, track_tensors(here))
        parts.append(y)
        start += frames
    assert torch.allclose(torch.cat(parts, -1), whole, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("spec", INPUTS, ids=lambda spec: spec.name)
def test_every_input_is_heard_and_its_default_is_what_a_step_without_it_takes(spec) -> None:
    student, audio = conditioned_student(), noise(60)
    plain = student(audio)
    same = student(audio, constant(**{spec.name: spec.default}))
    assert torch.equal(plain, same)
    other = varied_inputs(student.config, 2)[1].get(spec.name)
    changed = constant(**{spec.name: spec.high}) if other is None else {spec.name: other}
    assert (student(audio, changed) - plain).abs().max() > 1e-4


@torch.no_grad()
def test_a_trained_student_that_gets_inputs_converts_as_before() -> None:
    trained = load_student(ASSETS / "kathleen-base.safetensors")
    audio = speech()[..., :16_000]
    assert torch.equal(shipped()(audio), trained(audio))
    grown = with_inputs(trained, [voice_input(["a", "b"]), STYLE])
    before, after = trained.predict(audio), grown.predict(audio)
    assert torch.equal(before.features, after.features)
    assert torch.allclose(before.log_f0, after.log_f0, atol=1e-5)
    assert with_inputs(grown, [STYLE]) is grown


def frequency(audio: np.ndarray) -> np.ndarray:
    return track_pitch(audio, 16_000, 160, 60.0, 480.0).f0


@pytest.mark.parametrize("semitones", [-4.0, 3.0, 7.0])
def test_pitch_moves_what_is_measured_in_the_sound_by_what_it_says(semitones: float) -> None:
    plain, moved = frequency(converted()), frequency(converted(pitch=semitones))
    both = (plain > 0) & (moved > 0)
    cents = np.median(np.log(moved[both] / plain[both])) * CENTS
    assert cents == pytest.approx(100 * semitones, abs=5)


@torch.no_grad()
@pytest.mark.parametrize("times", [0.0, 0.5, 2.0])
def test_intonation_scales_the_range_of_the_pitch_around_its_running_mean(times: float) -> None:
    def settled(prediction: Prediction) -> Tensor:
        """Where the running mean has come near the voice's."""
        return prediction.log_f0[..., 150:][prediction.voicing.sigmoid()[..., 150:] > 0.5]

    plain = settled(shipped().predict(speech()))
    moved = settled(shipped().predict(speech(), constant(intonation=times)))
    if times == 0:  # what is left is the slow movement of the mean itself
        assert moved.std() < 0.25 * plain.std()
    else:
        assert moved.std() / plain.std() == pytest.approx(times, rel=0.25)
    assert (moved.mean() - plain.mean()).abs() < 0.06


@torch.no_grad()
def test_breath_is_the_gain_of_the_noise_alone() -> None:
    plain = shipped().predict(speech())
    louder = shipped().predict(speech(), constant(breath=6.0))
    change = (louder.bands - plain.bands).amax(dim=(0, 1, 3))
    assert change.tolist() == pytest.approx([0.0, 6 * np.log(10) / 20], abs=1e-5)


@torch.no_grad()
def test_a_blend_lies_between_its_voices() -> None:
    student, audio = conditioned_student(), noise(60)
    first, second, half = (
        student.film(student.condition(constant(voice=shares), audio[..., :1]))["film"]
        for shares in ((1.0, 0.0), (0.0, 1.0), (0.5, 0.5))
    )
    assert torch.allclose(half, (first + second) / 2, atol=1e-6)


def test_the_declaration_is_in_the_students_file(tmp_path) -> None:
    student = conditioned_student()
    again = load_student(save_student(student, tmp_path / "s.safetensors"))
    assert again.config.inputs == INPUTS
    assert torch.equal(again(noise(20)), student(noise(20)))
    assert "inputs" not in SMALL.to_dict()


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"inputs": (PITCH, PITCH)}, "each once"),
        ({"inputs": (PITCH,), "head": "istft"}, "input pitch: is one number for the source-filter"),
    ],
)
def test_inputs_that_a_student_cannot_have_are_refused(change: dict, fact: str) -> None:
    with pytest.raises(ValueError, match=fact):
        replace(SMALL, **change)


def test_a_student_file_of_before_has_no_inputs() -> None:
    assert StudentConfig.from_dict({"channels": 16}).inputs == ()

"""Styles, streams and voices in a student's training, and discriminators that are told of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.inputs import PITCH, STYLE, stream_input, voice_input
from edge_vc.models.student.student import Student
from edge_vc.training.devices import OneDevice
from edge_vc.training.discriminators import Discriminators
from edge_vc.training.student.batches import DistillBatches
from edge_vc.training.student.conditions import conditions_for, measured_styles
from edge_vc.training.student.distiller import Distillation, judged_inputs
from edge_vc.training.student.phones import PHONES, UNKNOWN
from edge_vc.training.student.script_phones import PHONES_INPUT, ScriptPhones, one_hot
from edge_vc.training.student.settings import DistillSettings

VOICES = voice_input(["a", "b"])
TOLD = StudentConfig(
    channels=16,
    hidden=(16,),
    dilations=(1,),
    outputs=16,
    inputs=(VOICES, STYLE, PITCH, stream_input("mouth", 1, "opening")),
)


def example(seed: int, frames: int = 160, spread: float = 0.1) -> LabelledAudio:
    rng = np.random.default_rng(seed)
    time = np.arange(frames * 160) / 16000
    source = 3000 * np.sin(2 * np.pi * 150 * time) + 200 * rng.normal(size=len(time))
    f0 = (150 * np.exp(spread * rng.normal(size=frames))).astype(np.float32)
    f0[::40] = 0
    return LabelledAudio(
        source.astype(np.int16), source.astype(np.int16), f0, np.zeros((0, frames), np.float16)
    )


class Mouth:
    """A stream that counts frames."""

    name, size = "mouth", 1

    def frames(self, example: LabelledAudio) -> np.ndarray:
        return np.arange(len(example.f0), dtype=np.float32)[None]


def student(config: StudentConfig = TOLD) -> Student:
    torch.manual_seed(0)
    return Student(config)


def test_styles_are_measured_in_standard_deviations() -> None:
    styles = measured_styles([example(s, spread=w) for s, w in enumerate((0.02, 0.1, 0.3))])
    assert styles.shape == (3, 3)
    assert np.diff(styles[:, 0]).min() > 0.3  # wider pitch is more of it
    assert styles[:, 0].mean() == pytest.approx(0, abs=1e-6)
    assert np.abs(styles).max() <= 2


def test_a_crop_carries_its_conditions_frame_by_frame() -> None:
    examples = [example(1), example(2)]
    told = conditions_for(TOLD, examples, [Mouth()])
    assert set(told[0]) == {"style", "mouth"}
    batches = DistillBatches(student(), examples, 40, conditions=told)
    batch = batches.draw(3, np.random.default_rng(0))
    assert batch.inputs["style"].shape == (3, 3, 1, 40)
    mouth = batch.inputs["mouth"][:, 0, 0]
    assert torch.equal(mouth[:, 1:] - mouth[:, :-1], torch.ones(3, 39))
    assert batch.share(1, 3, torch.device("cpu")).inputs["mouth"].shape == (1, 1, 1, 40)
    assert conditions_for(replace(TOLD, inputs=()), examples, [Mouth()]) == [{}, {}]


def test_discriminators_that_are_told_project_the_condition() -> None:
    torch.manual_seed(0)
    told = Discriminators(windows=(256,), channels=4, condition=2)
    audio = torch.randn(2, 4000)
    one, other = torch.tensor([[1.0, 0.0]] * 2), torch.tensor([[0.0, 1.0]] * 2)
    scores = [told(audio, c)[0][-1] for c in (None, one, other)]
    assert not torch.allclose(scores[0], scores[1])
    assert not torch.allclose(scores[1], scores[2])
    plain = Discriminators(windows=(256,), channels=4)
    assert not list(plain.projections.parameters())


def test_what_stays_is_judged_and_streams_are_not() -> None:
    assert [spec.name for spec in judged_inputs(TOLD)] == ["voice", "style"]
    assert judged_inputs(replace(TOLD, inputs=(PITCH,))) == ()


def test_a_student_learns_to_follow_its_voice(tmp_path: Path) -> None:
    """Two voices, told apart by loudness alone."""
    loud, soft = example(1), example(2)
    soft = replace(soft, source=loud.source, target=loud.target // 8)
    told = [{"voice": np.float32([[1], [0]])}, {"voice": np.float32([[0], [1]])}]
    settings = DistillSettings(
        steps=60, batch=4, segment_seconds=0.32, adversarial=0.5, adversarial_from=0.95
    )
    training = Distillation(
        student(), [loud, soft], settings, tmp_path, OneDevice("cpu", "32"), conditions=told
    )
    trained = training.run()
    audio = torch.from_numpy(loud.source.astype(np.float32) / 32767)[None, None, None]

    def level(shares: list[float]) -> float:
        voice = torch.tensor(shares).reshape(1, 2, 1, 1)
        with torch.no_grad():
            return float(trained(audio, {"voice": voice}).square().mean().log())

    first, half, second = level([1.0, 0.0]), level([0.5, 0.5]), level([0.0, 1.0])
    assert first > half > second
    assert first - second > 0.05


class Aligner:
    """Hears what it is told to."""

    def label(self, samples: np.ndarray, text: str) -> np.ndarray:
        return np.array([UNKNOWN, PHONES.index("AA"), PHONES.index("S")], np.int8)


def test_the_phones_of_a_script_are_a_stream() -> None:
    source = ScriptPhones(aligner=Aligner())
    frames = source.frames(example(1))
    assert (source.name, source.size) == (PHONES_INPUT.name, PHONES_INPUT.size)
    assert frames.shape == (len(PHONES), 3)
    assert frames.sum(0).tolist() == [0, 1, 1]
    assert np.array_equal(one_hot(np.int8([0]))[:, 0], np.eye(len(PHONES))[0])

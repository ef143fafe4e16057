"""Quantisation-aware training in parts: its loss, its schedule, its checkpoints, its ranges."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import pytest
import torch
from compress_toys import speech
from torch import Tensor, nn

from edge_vc.compress.quantization import qat
from edge_vc.compress.quantization.ptq import quantize
from edge_vc.compress.quantization.qat import Crops, fine_tune, learning_rate, match
from edge_vc.compress.quantization.settings import QuantizeSettings
from edge_vc.models.student.head import Prediction
from edge_vc.models.student.student import Student
from edge_vc.nn.quantized_conv import QuantizedConv2d, QuantParams
from edge_vc.training.checkpoint import Checkpoint


def prediction(bands: float, voiced: float | None) -> Prediction:
    """A frame whose voicing is the probability ``voiced``."""
    logit = None if voiced is None else torch.full((1, 1, 1, 4), math.log(voiced / (1 - voiced)))
    return Prediction(torch.zeros(1, 1, 1, 4), torch.full((1, 3, 2, 4), bands), None, logit)


@pytest.mark.parametrize(
    ("guess", "truth", "expected"),
    [
        (prediction(1.5, None), prediction(1.0, None), 0.25),
        (prediction(1.0, 0.5), prediction(1.0, 0.75), 0.25),
        (prediction(3.0, 0.75), prediction(1.0, 0.25), 4.5),
        (prediction(1.5, None), prediction(1.0, 0.75), 0.25),
        (prediction(1.5, 0.75), prediction(1.0, None), 0.25),
    ],
    ids=["bands", "voicing", "both", "voicing only in the target", "voicing only in the guess"],
)
def test_read_off_adds_the_bands_and_the_voicing(
    guess: Prediction, truth: Prediction, expected: float
) -> None:
    assert float(qat._read_off(guess, truth)) == pytest.approx(expected)


class Gain(nn.Module):
    """Stands in for a student: features are the mels times a gain, bands those times ten."""

    def __init__(self, gain: float) -> None:
        super().__init__()
        self.gain = gain

    @property
    def head(self) -> Gain:
        return self

    def condition(self, inputs: object, mels: Tensor) -> None:
        return None

    def features(self, mels: Tensor, condition: None) -> Tensor:
        return self.gain * mels

    def predict(self, features: Tensor) -> Prediction:
        return Prediction(features, 10 * features)


def test_the_loss_is_the_relative_error_of_the_features_and_what_is_read_off_them() -> None:
    crops = Crops(torch.ones(2, 3, 1, 5), (0, 0), (0, 0))
    reference = Gain(2.0).train()
    loss = match(reference)
    assert not reference.training
    assert float(loss(Gain(3.0), crops)) == pytest.approx(1 / 4 + 100)


def test_the_learning_rate_falls_along_half_a_cosine() -> None:
    settings = QuantizeSettings(qat_steps=6, qat_learning_rate=1e-4)
    rates = [learning_rate(step, settings) for step in (0, 2, 3, 4, 6)]
    assert rates == pytest.approx([1e-4, 0.75e-4, 0.5e-4, 0.25e-4, 0.0], abs=1e-12)


@pytest.fixture(scope="module")
def quantized(tiny_student: Student) -> Student:
    return quantize(tiny_student, [speech(1.0)])


def test_fine_tuning_returns_every_loss(quantized: Student) -> None:
    values = []

    def loss(student: Student, crops: Crops) -> Tensor:
        values.append(student.trunk(crops.mels).square().mean())
        return values[-1]

    settings = QuantizeSettings(qat_steps=3, qat_batch=1, qat_segment_seconds=0.4)
    losses = fine_tune(copy.deepcopy(quantized), [speech(1.0)], loss, settings)
    assert losses == [float(value.detach()) for value in values]
    assert len(set(losses)) == 3


def test_fine_tuning_stores_a_checkpoint_after_every_so_many_steps(
    quantized: Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = []
    monkeypatch.setattr(qat, "CHECKPOINT_STEPS", 3)
    monkeypatch.setattr(Checkpoint, "save", lambda self, step, seconds: saved.append(step))
    settings = QuantizeSettings(qat_steps=7, qat_batch=1, qat_segment_seconds=0.4)
    student = copy.deepcopy(quantized)
    fine_tune(
        student,
        [speech(1.0)],
        lambda net, crops: net.trunk(crops.mels).square().mean(),
        settings,
        folder=tmp_path,
    )
    assert saved == [3, 6]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (QuantParams(0.1, 0), QuantParams(0.05, 0)),
        (QuantParams(0.1, 255), QuantParams(0.05, 255)),
        (QuantParams(0.1, 55), QuantParams(0.05, 55)),
    ],
)
def test_clipping_a_range_keeps_its_zero_point_and_halves_its_step(
    params: QuantParams, expected: QuantParams
) -> None:
    found = params.clipped(0.5)
    assert found.zero_point == expected.zero_point
    assert found.scale == pytest.approx(expected.scale, rel=1e-6)


@pytest.mark.parametrize("output", [QuantParams(0.2, 100), None], ids=["with output", "input only"])
def test_clipping_a_convolution_clips_both_sides(output: QuantParams | None) -> None:
    layer = QuantizedConv2d(nn.Conv2d(2, 2, 1), QuantParams(0.1, 55), output)
    layer.clip(0.5)
    assert layer.input_params.scale == pytest.approx(0.05, rel=1e-6)
    assert layer.input_params.zero_point == 55
    if output is None:
        assert layer.output_params is None
    else:
        assert layer.output_params is not None
        assert layer.output_params.scale == pytest.approx(0.1, rel=1e-6)
        assert layer.output_params.zero_point == 100

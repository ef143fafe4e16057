"""The trunk in INT8: where it rounds, how close it stays, how it is stored and trained."""

from __future__ import annotations

import copy
import os

import pytest
import torch
from conftest import speech
from torch import nn

from edge_vc.audio.distance import snr_db
from edge_vc.compress.quantization import qat
from edge_vc.compress.quantization.calibrate import calibrate
from edge_vc.compress.quantization.error import compare
from edge_vc.compress.quantization.ptq import folded, quantize, round_convs, tighten
from edge_vc.compress.quantization.qat import Crops, fine_tune, match
from edge_vc.compress.quantization.settings import QuantizeSettings
from edge_vc.models.student.file import (
    StudentFileError,
    load_student,
    save_student,
    student_facts,
)
from edge_vc.nn import Stateless, flatten_state
from edge_vc.nn.flat_step import FlatStep, StreamedSteps
from edge_vc.nn.quantized_conv import Grid, QuantizedConv2d, quantized_convs


@pytest.fixture(scope="module")
def recordings():
    return [speech(2.0, seed) for seed in range(3)]


@pytest.fixture(scope="module")
def quantized(tiny_student, recordings):
    return quantize(tiny_student, recordings)


@pytest.mark.parametrize(
    ("low", "high", "zero_point"), [(0.0, 5.1, 0), (-1.0, 1.0, 128), (-2.0, -1.0, 255), (1, 2, 0)]
)
def test_a_grid_holds_zero_exactly(low, high, zero_point):
    grid = Grid.spanning(low, high)
    assert grid.zero_point == zero_point
    assert grid.scale * 255 == pytest.approx(max(high, 0) - min(low, 0))


def test_a_quantised_convolution_rounds_input_weights_and_output():
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 4, (1, 2))
    layer = QuantizedConv2d(conv, Grid.spanning(-1, 1), Grid.spanning(-2, 2))
    x = torch.rand(1, 3, 1, 9) * 2 - 1
    grid = Grid.spanning(-1, 1)
    rounded_x = ((x / grid.scale).round().clamp(-128, 127)) * grid.scale
    scale = conv.weight.detach().abs().amax((1, 2, 3), keepdim=True) / 127
    rounded_w = (conv.weight.detach() / scale).round() * scale
    y = nn.functional.conv2d(rounded_x, rounded_w, conv.bias)
    step = Grid.spanning(-2, 2).scale
    torch.testing.assert_close(layer(x), (y / step).round() * step, atol=1.01 * step, rtol=0)
    assert ((layer(x) / step) - (layer(x) / step).round()).abs().max() < 1e-4


def test_folding_keeps_the_function_and_leaves_no_norms(tiny_student):
    x = torch.randn(1, tiny_student.config.mels, 1, 50)
    plain = folded(tiny_student)
    assert not [m for m in plain.modules() if isinstance(m, nn.BatchNorm2d)]
    torch.testing.assert_close(plain.trunk(x), tiny_student.trunk(x), atol=1e-4, rtol=1e-4)


def test_the_trunk_but_its_last_convolution_is_quantised_and_nothing_else(quantized, tiny_student):
    convs = [m for m in quantized.trunk.modules() if isinstance(m, nn.Conv2d)]
    assert quantized_convs(quantized.trunk) == convs[:-1]
    assert not quantized_convs(quantized.head)
    assert not quantized_convs(quantized.frontend)
    before = [m for m in tiny_student.modules() if isinstance(m, QuantizedConv2d)]
    assert not before, "quantising changed the student it was given"


def test_outputs_are_rounded_only_where_no_convolution_does_it_next(quantized):
    block = quantized.trunk[2].inner
    assert block[0].conv.output_grid is None  # read by the widening convolution
    assert block[2].conv.output_grid is None  # read, through a ReLU, by the narrowing one
    assert block[4].conv.output_grid is not None  # added to the stream
    assert quantized.trunk[0].conv.output_grid.zero_point == 0  # behind a ReLU: nothing negative


def test_the_quantised_trunk_stays_close(quantized, tiny_student):
    found = compare(tiny_student, quantized, speech(3.0, 9))
    assert found["trunk_snr_db"] > 20
    assert abs(found["snr_first_db"] - found["snr_last_db"]) < 3
    assert found["lsd_db"] < 1


def test_tightening_clips_what_is_rare(quantized):
    torch.manual_seed(0)
    layer = Stateless(nn.Conv2d(4, 4, 1)).requires_grad_(False)
    x = torch.randn(1, 4, 1, 4000)
    x[0, 0, 0, 0] = 1.3 * x.abs().max()
    grid = Grid.spanning(float(x.min()), float(x.max()))
    rounded = Stateless(QuantizedConv2d(layer.body[0], grid)).requires_grad_(False)
    before = snr_db(layer(x), rounded(x))
    share = tighten(rounded, layer, [x])
    assert share < 1
    assert snr_db(layer(x), rounded(x)) > before


def test_states_keep_names_and_shapes_and_streaming_equals_offline(quantized, tiny_student):
    ours, theirs = (flatten_state(s.init_state(1)) for s in (quantized, tiny_student))
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}
    x = torch.randn(1, tiny_student.config.mels, 1, 40)
    state, parts = quantized.trunk.init_state(1), []
    with torch.no_grad():
        for frame in torch.split(x, 1, -1):
            y, state = quantized.trunk.step(frame, state)
            parts.append(y)
        torch.testing.assert_close(torch.cat(parts, -1), quantized.trunk(x), atol=1e-5, rtol=1e-5)


def test_calibration_needs_the_states_of_speech(tiny_student, recordings):
    plain = folded(tiny_student)
    with torch.no_grad():
        features = [plain.frontend(audio) for audio in recordings]
        alone = [frame for x in features for frame in torch.split(x, 1, -1)]
        heard = plain.frontend(speech(2.0, 11))
        truth = plain.trunk(heard)
        ratios = []
        # The same frames, once with what came before in the states and once with nothing in them.
        for signals, frames in ((features, 20), (alone[::12], 1)):
            rounded = copy.deepcopy(plain.trunk)
            round_convs(rounded, calibrate(plain.trunk, signals, frames=frames))
            ratios.append(snr_db(truth, rounded(heard)))
    assert ratios[0] > ratios[1] + 3


def test_streamed_steps_carry_the_state(tiny_student):
    step = FlatStep(tiny_student.trunk)
    x = torch.randn(1, tiny_student.config.mels, 1, 35)
    steps = StreamedSteps(step, [x], 10)
    assert len(steps) == 3
    seen = list(steps)
    assert not any(state.any() for state in seen[0][1:])
    _, *expected = step(x[..., :20], *step.init_states())
    for found, wanted in zip(seen[2][1:], expected, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


def test_quantising_is_quiet_and_leaves_the_environment(tiny_student, recordings, capfd):
    before = dict(os.environ)
    quantize(tiny_student, recordings[:1])
    assert dict(os.environ) == before
    assert capfd.readouterr() == ("", "")


def test_too_little_speech_is_refused(tiny_student):
    with pytest.raises(ValueError, match="calibration needs at least 50 frames"):
        quantize(tiny_student, [speech(0.2)])


def test_a_quantised_student_reads_back_exactly(quantized, tmp_path):
    path = save_student(quantized, tmp_path / "student.safetensors", {"made by": "a test"})
    again = load_student(path)
    audio = speech(1.0, 5)
    with torch.no_grad():
        assert torch.equal(again(audio), quantized(audio))
    assert student_facts(path) == {"made by": "a test"}
    second = save_student(again, tmp_path / "second.safetensors", {"made by": "a test"})
    assert second.read_bytes() == path.read_bytes()


def test_a_float_student_reads_back_exactly(tiny_student, tmp_path):
    again = load_student(save_student(tiny_student, tmp_path / "student.safetensors"))
    audio = speech(1.0, 5)
    with torch.no_grad():
        assert torch.equal(again(audio), tiny_student(audio))


def test_damaged_student_files_are_refused(tiny_student, tmp_path):
    path = save_student(tiny_student, tmp_path / "student.safetensors")
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    with pytest.raises(StudentFileError, match=r"student\.safetensors: not readable"):
        load_student(path)
    path.write_bytes(whole.replace(b'\\"hop\\": 160', b'\\"hopp\\":160'))
    with pytest.raises(StudentFileError, match="unknown student setting 'hopp'"):
        load_student(path)
    with pytest.raises(StudentFileError, match="no such file"):
        load_student(tmp_path / "none.safetensors")


def test_fine_tuning_gets_closer(quantized, tiny_student, recordings):
    student = copy.deepcopy(quantized)
    settings = QuantizeSettings(
        qat_steps=30, qat_batch=2, qat_segment_seconds=0.6, qat_learning_rate=1e-4
    )
    loss = match(tiny_student)
    with torch.no_grad():
        crops = Crops(student.frontend(speech(2.0, 7)), (0,), (0,))
        before = float(loss(student, crops))
    losses = fine_tune(student, recordings, loss, settings)
    with torch.no_grad():
        after = float(loss(student, crops))
    assert len(losses) == 30
    assert after < before


def test_fine_tuning_goes_on_from_its_checkpoint(
    quantized, tiny_student, recordings, tmp_path, monkeypatch
):
    monkeypatch.setattr(qat, "CHECKPOINT_STEPS", 2)

    class KilledError(Exception):
        pass

    def trained(folder=None, killed_at: int | None = None):
        student = copy.deepcopy(quantized)
        loss = match(tiny_student)
        calls = 0

        def counted(student, crops):
            nonlocal calls
            calls += 1
            if calls == killed_at:
                raise KilledError
            return loss(student, crops)

        settings = QuantizeSettings(qat_steps=5, qat_batch=2, qat_segment_seconds=0.4)
        fine_tune(student, recordings, counted, settings, folder=folder)
        return student.state_dict(), calls

    with pytest.raises(KilledError):
        trained(tmp_path, killed_at=4)
    resumed, calls = trained(tmp_path)
    assert calls == 3
    for name, value in trained()[0].items():
        assert torch.equal(value, resumed[name]), name


def test_a_student_to_train_further_takes_half_the_space(tmp_path, tiny_student):
    whole = save_student(tiny_student, tmp_path / "whole.safetensors")
    half = save_student(tiny_student, tmp_path / "half.safetensors", half=True)
    assert half.stat().st_size < 0.7 * whole.stat().st_size
    again = load_student(half).state_dict()
    for name, value in tiny_student.state_dict().items():
        assert again[name].dtype == value.dtype
        torch.testing.assert_close(again[name], value, rtol=1e-3, atol=1e-4)

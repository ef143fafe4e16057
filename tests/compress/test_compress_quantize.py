"""The trunk in INT8: where it quantises, how close it stays, how it is stored and trained."""

from __future__ import annotations

import copy
import dataclasses
import os

import pytest
import torch
from compress_toys import speech
from torch import nn

from edge_vc.audio.distance import log_spectral_distance, snr_db
from edge_vc.compress.quantization import ptq, qat
from edge_vc.compress.quantization.calibrate import calibrate
from edge_vc.compress.quantization.error import compare
from edge_vc.compress.quantization.ptq import folded, quantize, quantize_convs, search_clipping
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
from edge_vc.nn.quantized_conv import QuantizedConv2d, QuantParams, quantized_convs


@pytest.fixture(scope="module")
def recordings():
    return [speech(2.0, seed) for seed in range(3)]


@pytest.fixture(scope="module")
def quantized(tiny_student, recordings):
    return quantize(tiny_student, recordings)


@pytest.mark.parametrize(
    ("low", "high", "zero_point"), [(0.0, 5.1, 0), (-1.0, 1.0, 128), (-2.0, -1.0, 255), (1, 2, 0)]
)
def test_a_range_holds_zero_exactly(low, high, zero_point):
    params = QuantParams.spanning(low, high)
    assert params.zero_point == zero_point
    assert params.scale * 255 == pytest.approx(max(high, 0) - min(low, 0))


def test_a_quantised_convolution_quantises_input_weights_and_output():
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 4, (1, 2))
    layer = QuantizedConv2d(conv, QuantParams.spanning(-1, 1), QuantParams.spanning(-2, 2))
    x = torch.rand(1, 3, 1, 9) * 2 - 1
    params = QuantParams.spanning(-1, 1)
    quantized_x = ((x / params.scale).round().clamp(-128, 127)) * params.scale
    scale = conv.weight.detach().abs().amax((1, 2, 3), keepdim=True) / 127
    quantized_w = (conv.weight.detach() / scale).round() * scale
    y = nn.functional.conv2d(quantized_x, quantized_w, conv.bias)
    step = QuantParams.spanning(-2, 2).scale
    torch.testing.assert_close(layer(x), (y / step).round() * step, atol=1.01 * step, rtol=0)
    assert ((layer(x) / step) - (layer(x) / step).round()).abs().max() < 1e-4


def test_weights_use_every_level_of_a_channel_and_activations_clip():
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 4, (1, 2))
    layer = QuantizedConv2d(conv, QuantParams.spanning(-1, 1), QuantParams.spanning(-0.5, 0.25))
    largest = conv.weight.detach().abs().amax((1, 2, 3))
    torch.testing.assert_close(layer.weight_scale, largest / 127)
    inside = torch.rand(1, 3, 1, 50) * 2 - 1
    beyond = torch.where(inside.abs() > 0.5, 100 * inside, inside)
    clamped = torch.where(inside.abs() > 0.5, 2 * inside.sign(), inside)
    torch.testing.assert_close(layer(beyond), layer(clamped))
    found = layer(beyond).detach()
    step = QuantParams.spanning(-0.5, 0.25).scale
    assert float(found.min()) >= -0.5 - step
    assert float(found.max()) <= 0.25 + step


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


def test_outputs_are_quantised_only_where_no_convolution_does_it_next(quantized):
    block = quantized.trunk[2].inner
    assert block[0].conv.output_params is None  # read by the widening convolution
    assert block[2].conv.output_params is None  # read, through a ReLU, by the narrowing one
    assert block[4].conv.output_params is not None  # added to the stream
    assert quantized.trunk[0].conv.output_params.zero_point == 0  # behind a ReLU: nothing negative


def test_the_quantised_trunk_stays_close(quantized, tiny_student):
    found = compare(tiny_student, quantized, speech(3.0, 9))
    assert found["trunk_snr_db"] > 20
    assert abs(found["snr_first_db"] - found["snr_last_db"]) < 3
    assert found["lsd_db"] < 1


def test_compared_are_both_forms_over_whole_hops(quantized, tiny_student):
    audio = speech(3.0, 9)
    found = compare(tiny_student, quantized, audio[..., :-7])
    whole = audio[..., : -tiny_student.config.hop]
    with torch.no_grad():
        truth, guess = tiny_student.predict(whole), quantized.predict(whole)
        heard, rounded = tiny_student.synthesize(truth), quantized.synthesize(guess)
    assert list(found) == ["trunk_snr_db", "snr_first_db", "snr_last_db", "lsd_db"]
    assert found["trunk_snr_db"] == pytest.approx(snr_db(truth.features, guess.features))
    distance = log_spectral_distance(heard.flatten(), rounded.flatten(), 16_000)
    assert found["lsd_db"] == pytest.approx(distance)


def test_the_clipping_search_clips_what_is_rare(quantized):
    torch.manual_seed(0)
    layer = Stateless(nn.Conv2d(4, 4, 1)).requires_grad_(False)
    x = torch.randn(1, 4, 1, 4000)
    x[0, 0, 0, 0] = 1.3 * x.abs().max()
    params = QuantParams.spanning(float(x.min()), float(x.max()))
    quantised = Stateless(QuantizedConv2d(layer.body[0], params)).requires_grad_(False)
    before = snr_db(layer(x), quantised(x))
    share = search_clipping(quantised, layer, [x])
    assert share < 1
    assert snr_db(layer(x), quantised(x)) > before


def test_the_clipping_search_compares_with_the_float_trunk(tiny_student, recordings, monkeypatch):
    seen = []
    monkeypatch.setattr(ptq, "search_clipping", lambda *given: seen.append(given))
    quantized = quantize(tiny_student, recordings)
    ((trunk, reference, features, _),) = seen
    assert trunk is quantized.trunk
    assert quantized_convs(trunk)
    assert not quantized_convs(reference)
    plain = folded(tiny_student)
    with torch.no_grad():
        torch.testing.assert_close(reference(features[0]), plain.trunk(features[0]))


@pytest.fixture(scope="module")
def at_half_range(tiny_student, recordings):
    """The trunk quantised with every share of the clipping search but one half left out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ptq, "SHARES", (0.5,))
        return quantize(tiny_student, recordings)


def test_quantisation_searches_the_clipping(at_half_range, tiny_student, recordings, monkeypatch):
    monkeypatch.setattr(ptq, "SHARES", (1.0,))
    whole = quantize(tiny_student, recordings)
    pairs = zip(quantized_convs(at_half_range), quantized_convs(whole), strict=True)
    for half, full in pairs:
        assert half.input_params.scale == pytest.approx(0.5 * full.input_params.scale, rel=0.02)


def test_the_calibrated_ranges_hold_what_calibration_saw(tiny_student, recordings, monkeypatch):
    monkeypatch.setattr(ptq, "SHARES", (1.0,))
    whole, plain = quantize(tiny_student, recordings), folded(tiny_student)
    with torch.no_grad():
        features = [plain.frontend(audio) for audio in recordings]
        low, high = min(float(x.min()) for x in features), max(float(x.max()) for x in features)
    first = quantized_convs(whole.trunk)[0].input_params
    assert -first.zero_point * first.scale == pytest.approx(min(low, 0.0), abs=2 * first.scale)
    assert (255 - first.zero_point) * first.scale == pytest.approx(high, abs=2 * first.scale)


def test_bias_correction_is_a_choice(tiny_student, recordings, quantized):
    corrected = quantize(tiny_student, recordings, bias_correction=True)
    pairs = zip(quantized_convs(corrected), quantized_convs(quantized), strict=True)
    assert any(not torch.allclose(a.bias, b.bias) for a, b in pairs)
    plain = [m.bias for m in folded(tiny_student).trunk.modules() if isinstance(m, nn.Conv2d)]
    for conv, bias in zip(quantized_convs(quantized), plain, strict=False):
        torch.testing.assert_close(conv.bias, bias)


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
            quantised = copy.deepcopy(plain.trunk)
            quantize_convs(quantised, calibrate(plain.trunk, signals, frames=frames))
            ratios.append(snr_db(truth, quantised(heard)))
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


def test_fine_tuning_keeps_the_scale_of_the_weights_fitted(quantized, tiny_student, recordings):
    student = copy.deepcopy(quantized)
    settings = QuantizeSettings(
        qat_steps=2, qat_batch=1, qat_segment_seconds=0.4, qat_learning_rate=1e-3
    )
    fine_tune(student, recordings, match(tiny_student), settings)
    pairs = zip(quantized_convs(student), quantized_convs(quantized), strict=True)
    for tuned, before in pairs:
        largest = tuned.weight.detach().abs().amax((1, 2, 3))
        torch.testing.assert_close(tuned.weight_scale, (largest / 127).clamp_min(1e-8))
        assert not torch.equal(tuned.weight_scale, before.weight_scale)


def test_fine_tuning_follows_the_schedule_and_clips_the_gradient(
    quantized, recordings, monkeypatch
):
    rates, norms = [], []

    class Watched(torch.optim.Adam):
        def step(self, closure=None):
            rates.append(self.param_groups[0]["lr"])
            gradients = [p.grad for p in self.param_groups[0]["params"] if p.grad is not None]
            norms.append(float(torch.stack([g.norm() for g in gradients]).norm()))
            return super().step(closure)

    monkeypatch.setattr(torch.optim, "Adam", Watched)
    settings = QuantizeSettings(
        qat_steps=4, qat_batch=1, qat_segment_seconds=0.4, qat_learning_rate=1e-4, qat_clip=0.01
    )
    student = copy.deepcopy(quantized)
    fine_tune(
        student,
        recordings,
        lambda net, crops: 1e3 * net.trunk(crops.mels).square().mean(),
        settings,
    )
    assert rates == pytest.approx([1e-4, 0.8536e-4, 0.5e-4, 0.1464e-4], rel=1e-3)
    assert norms == pytest.approx([0.01] * 4, rel=1e-3)


@pytest.mark.parametrize("part", ["features", "bands", "voicing"])
def test_matching_sees_every_part_of_a_prediction(part, tiny_student, recordings):
    with torch.no_grad():
        crops = Crops(tiny_student.frontend(recordings[0]), (0,), (0,))
    loss = match(tiny_student)
    assert float(loss(tiny_student, crops).detach()) == 0.0
    student = copy.deepcopy(tiny_student)
    predict = student.head.predict
    student.head.predict = lambda hidden: changed(predict(hidden), part)
    assert float(loss(student, crops).detach()) > 1e-3


def changed(prediction, part):
    return dataclasses.replace(prediction, **{part: getattr(prediction, part) + 1.0})


def test_crops_are_drawn_over_all_recordings_and_places(recordings, tiny_student):
    with torch.no_grad():
        features = [tiny_student.frontend(audio) for audio in recordings]
    settings = QuantizeSettings(qat_batch=8)
    drawn = [qat._crops(features, 40, settings, step) for step in range(20)]
    assert {index for crops in drawn for index in crops.recordings} == {0, 1, 2}
    starts = {start for crops in drawn for start in crops.first_frames}
    last = features[0].shape[-1] - 40
    assert min(starts) < 10
    assert last - 10 < max(starts) <= last
    for crops in drawn[:3]:
        places = zip(crops.recordings, crops.first_frames, strict=True)
        for row, (index, start) in enumerate(places):
            assert torch.equal(crops.mels[row], features[index][0, ..., start : start + 40])


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

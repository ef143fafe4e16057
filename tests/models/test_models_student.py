from __future__ import annotations

import dataclasses
import json
from typing import Any

import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from edge_vc.models.student.config import TIERS, StudentConfig
from edge_vc.models.student.student import Prediction, Student
from edge_vc.nn import StreamingLayer, flatten_state
from edge_vc_export.onnx.export import trace

SMALL: dict[str, Any] = {
    "channels": 16,
    "hidden": [24, 16, 32],
    "dilations": [1, 2, 4],
    "mels": 20,
    "outputs": 12,
    "bands": 10,
    "phase": "fixed",
}


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(3)
    yield
    torch.set_num_threads(threads)


def small(**changes: Any) -> Student:
    return Student(StudentConfig.from_dict(SMALL | changes)).eval()


def tone(hops: int, hz: float = 150.0) -> Tensor:
    """A buzz with some noise, ``[1, 1, 1, hops * 160]``."""
    t = torch.arange(hops * 160) / 16000
    buzz = sum(torch.sin(2 * torch.pi * hz * k * t) / k for k in range(1, 30))
    assert isinstance(buzz, Tensor)
    return (0.05 * buzz + 0.005 * torch.randn(t.shape)).reshape(1, 1, 1, -1)


@pytest.mark.parametrize(
    ("tier", "trunk", "mmacs"),
    [("wide", 1_350_000, 150), ("base", 780_000, 150), ("nano", 300_000, 60)],
)
def test_tiers_keep_to_their_budgets(tier: str, trunk: int, mmacs: float) -> None:
    student = Student(TIERS[tier])
    assert 0.85 * trunk < student.trunk_parameters() <= trunk
    assert student.macs_per_second() / 1e6 <= mmacs
    assert student.trunk_parameters() < student.count_parameters() < 1.15 * trunk
    assert student.algorithmic_latency_ms == 20.0


def test_the_cost_of_a_second_is_counted_layer_by_layer() -> None:
    """Against a count by hand of every convolution's weights and positions in one hop."""
    student = small()
    weights = sum(p.numel() for p in student.trunk.parameters() if p.dim() == 4)
    rows = len(student.frontend.stft.bins)
    transforms = sum(
        transform.split.multiplications
        for transform in student.modules()
        if hasattr(transform, "split") and hasattr(transform, "window")
    )
    head = 12 * (2 * 10 + 1) + 10 * 2 * len(student.get_submodule("head.istft").bins) + 3 * 160
    pitch = 20 * 48 + 3 * 48 * (48 + 48) + 48
    assert student.macs_per_second() == 100 * (weights + transforms + 20 * rows + head + pitch)


@pytest.mark.parametrize(
    ("changes", "latency_ms"),
    [
        ({}, 20.0),
        ({"lookahead": 1}, 30.0),
        ({"hop": 80, "synthesis_window": 160}, 10.0),
        ({"synthesis_window": 480}, 30.0),
        ({"sample_rate": 32000}, 10.0),
    ],
    ids=str,
)
def test_latency_follows_from_the_layers(changes: dict[str, int], latency_ms: float) -> None:
    student = small(**changes)
    assert student.algorithmic_latency_ms == latency_ms
    assert (student.block, student.ratio) == (student.config.hop, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": 0}, "channels = 0: must be at least 1"),
        ({"hidden": [8, 8]}, "hidden has 2 blocks and dilations 3"),
        ({"hidden": [], "dilations": []}, "hidden has 0 blocks"),
        ({"hidden": [8, 0, 8]}, r"hidden = \(8, 0, 8\).*at least 1"),
        ({"lookahead": -1}, "lookahead = -1: must be 0 or more"),
        ({"head": "vocoder"}, "head = 'vocoder': must be one of source-filter, istft"),
        ({"analysis_window": 100}, "analysis_window = 100: must be even and at least 160"),
        ({"synthesis_window": 160}, "synthesis_window = 160: must be even and two or more whole"),
        ({"synthesis_window": 400}, "synthesis_window = 400"),
        ({"log_floor": 0.0}, "log_floor = 0.0: must be within 0..1"),
        ({"target_f0_hz": 900.0}, "target_f0_hz = 900.0: must be within 50..500"),
        ({"chanels": 8}, "unknown student setting 'chanels': the settings are sample_rate, hop"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_config_that_cannot_be_built_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StudentConfig.from_dict(SMALL | changes)


def test_a_config_survives_json() -> None:
    for config in (*TIERS.values(), StudentConfig.from_dict(SMALL)):
        assert StudentConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_blocks_are_as_wide_as_the_config_says() -> None:
    """A pruned student: every block its own width."""
    student = small()
    widths = [
        module.weight.shape[0]
        for module in student.trunk.modules()
        if isinstance(module, nn.Conv2d) and module.groups == 1
    ]
    assert widths == [16, 24, 16, 16, 16, 32, 16, 12]


def test_weights_carry_nothing_that_can_be_computed() -> None:
    student = small()
    trained = {name for name, _ in student.named_parameters()}
    kept = {name for name, _ in student.named_buffers() if name in student.state_dict()}
    norms = ("running_mean", "running_var", "num_batches_tracked")
    assert trained | kept == set(student.state_dict())
    assert {name for name in kept if not name.endswith(norms)} == {"frontend.prior"}


@pytest.mark.parametrize("head", ["source-filter", "istft"])
def test_step_composes_predict_and_synthesize(head: str) -> None:
    student, audio = small(head=head), tone(20)
    with torch.no_grad():
        assert torch.equal(student.synthesize(student.predict(audio)), student(audio))


@pytest.mark.parametrize(
    ("head", "phase", "height"),
    [("source-filter", "fixed", 2), ("source-filter", "predicted", 3), ("istft", "fixed", 2)],
)
def test_a_prediction_has_one_column_per_frame(head: str, phase: str, height: int) -> None:
    with torch.no_grad():
        prediction = small(head=head, phase=phase).predict(tone(7).repeat(2, 1, 1, 1))
    assert prediction.features.shape == (2, 12, 1, 7)
    assert prediction.bands.shape[0] == 2
    assert prediction.bands.shape[2:] == (height, 7)
    for control in (prediction.log_f0, prediction.voicing):
        assert (control is None) == (head == "istft")
        assert control is None or control.shape == (2, 1, 1, 7)


def test_the_fixed_phase_turns_every_frame_alike() -> None:
    """Half a turn of every band is the harmonic part upside down."""
    student, audio = small(), tone(20)
    prediction = student.predict(audio)
    quiet = prediction.bands.clone()
    quiet[:, :, 1] = -30.0
    voiced = dataclasses.replace(prediction, bands=quiet)
    plain = student.synthesize(voiced).detach()
    phase = student.head.get_parameter("phase")
    phase.data.fill_(torch.pi)
    turned = student.synthesize(voiced)
    torch.testing.assert_close(turned.detach(), -plain, atol=1e-5, rtol=0)
    turned.abs().sum().backward()
    assert phase.grad is not None


def test_files_without_a_phase_predict_it() -> None:
    values = {name: value for name, value in SMALL.items() if name != "phase"}
    assert StudentConfig.from_dict(values).phase == "predicted"
    with pytest.raises(ValueError, match="phase = 'random'"):
        small(phase="random")


def test_an_untrained_student_murmurs_at_the_target_s_pitch() -> None:
    student = small(target_f0_hz=220.0)
    with torch.no_grad():
        prediction, audio = student.predict(tone(50)), student(tone(50))
    assert prediction.log_f0 is not None
    assert prediction.log_f0.exp().mean() == pytest.approx(220, rel=0.1)
    assert 0.002 < audio.std() < 0.1


def pulse_rate(audio: Tensor) -> float:
    """The pitch in Hz by the highest autocorrelation between 60 and 450 Hz."""
    x = audio.flatten()[3200:].double()
    spectrum = torch.fft.rfft(x - x.mean(), 2 * x.numel())
    correlation = torch.fft.irfft(spectrum.abs() ** 2)
    lags = torch.arange(35, 267)
    return 16000 / float(lags[correlation[lags].argmax()])


def test_a_teacher_s_f0_and_voicing_drive_the_source() -> None:
    student = small()
    with torch.no_grad():
        prediction = student.predict(tone(100))
        voiced = torch.ones(1, 1, 1, 100)
        for hz in (120.0, 250.0):
            audio = student.synthesize(prediction, f0=hz * voiced, voicing=voiced)
            assert pulse_rate(audio) == pytest.approx(hz, rel=0.03)
        unvoiced = [
            student.synthesize(prediction, f0=hz * voiced, voicing=0 * voiced)
            for hz in (120.0, 250.0)
        ]
    assert torch.equal(*unvoiced)
    assert unvoiced[0].std() > 0


def test_the_plain_head_has_no_source_to_drive() -> None:
    student, f0 = small(head="istft"), torch.full((1, 1, 1, 4), 200.0)
    prediction = student.predict(tone(4))
    with pytest.raises(ValueError, match="istft head has no source"):
        student.synthesize(prediction, f0=f0)
    with pytest.raises(ValueError, match="no F0 and voicing: it is from an istft head"):
        small().synthesize(prediction)


def test_white_noise_of_power_one_has_log_mels_of_zero() -> None:
    frontend = Student(TIERS["base"]).frontend
    logs = frontend.log_mels(torch.randn(4, 1, 1, 32000))[..., 5:]
    assert logs.exp().mean(dim=(0, 2, 3)).log().abs().max() < 0.2


def test_the_level_of_a_recording_is_taken_out() -> None:
    """Twenty decibels between two recordings of the same thing are next to nothing later."""
    frontend = small().frontend
    frontend.set_prior(frontend.log_mels(tone(100)).mean(dim=(0, 2, 3)))
    audio = tone(600)
    loud, soft = frontend(audio), frontend(audio / 10)
    assert (loud - soft)[..., 3:10].mean() > 3.0
    assert (loud - soft)[..., -50:].abs().mean() < 0.8


def test_the_prior_is_where_a_stream_starts() -> None:
    frontend, audio = small().frontend, tone(6)
    before = frontend(audio)
    frontend.set_prior(frontend.prior - 1.0)
    torch.testing.assert_close(
        frontend(audio)[..., :1], before[..., :1] + 30 / 31, atol=1e-3, rtol=0
    )
    with pytest.raises(ValueError, match=r"prior has shape \[20\], got \[3\]"):
        frontend.set_prior(torch.zeros(3))


def loss(student: Student, prediction: Prediction, target: Tensor) -> Tensor:
    """A waveform loss, with the source driven from outside as in training."""
    if student.config.head == "istft":
        return (student.synthesize(prediction) - target).square().mean()
    frames = torch.ones(1, 1, 1, prediction.features.shape[-1])
    assert prediction.log_f0 is not None
    assert prediction.voicing is not None
    audio = student.synthesize(prediction, f0=150 * frames, voicing=frames)
    pitch = prediction.log_f0.mean() + prediction.voicing.mean()
    return (audio - target).square().mean() + 1e-3 * pitch


@pytest.mark.parametrize("head", ["source-filter", "istft"])
def test_every_weight_learns(head: str) -> None:
    student = small(head=head).train()
    loss(student, student.predict(tone(30)), tone(30)).backward()
    for name, parameter in student.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize("head", ["source-filter", "istft"])
def test_silence_and_a_shout_stay_finite(head: str) -> None:
    student = small(head=head)
    for audio in (torch.zeros(1, 1, 1, 4800), 30 * tone(30), 1e-4 * tone(30)):
        with torch.no_grad():
            assert torch.isfinite(student(audio)).all()


@pytest.mark.parametrize(("head", "most"), [("source-filter", 137), ("istft", 94)])
def test_the_graph_stays_small(head: Any, most: int, tmp_path: Any) -> None:
    """Cost on a board follows the number of nodes: one hop, after the engine's basic passes."""
    student = Student(dataclasses.replace(TIERS["base"], head=head)).eval()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "ops")
    model = trace(student, torch.zeros(1, 1, 1, 160)).to_model({})
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    feeds = {i.name: torch.zeros(i.shape).numpy() for i in session.get_inputs()}
    session.run(None, feeds)
    with open(session.end_profiling()) as file:
        events = json.load(file)
    nodes = {e["name"] for e in events if e["cat"] == "Node" and "kernel_time" in e["name"]}
    assert len(nodes) <= most


def test_the_student_keeps_sixteen_states_or_fewer() -> None:
    names = list(flatten_state(Student(TIERS["base"]).init_state(1)))
    assert len(names) <= 16
    assert sum(name.startswith("trunk.") for name in names) == 5


def test_the_trunk_runs_alone() -> None:
    trunk: StreamingLayer = small().trunk
    assert trunk(torch.zeros(1, 20, 1, 5)).shape == (1, 12, 1, 5)

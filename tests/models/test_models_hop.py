"""A student at other hops and sample rates: durations, weights and refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.file import load_student, save_student
from edge_vc.models.student.frontend import Frontend
from edge_vc.models.student.student import Student
from edge_vc.models.student.transforms.channel_norm import with_recovering_norm
from edge_vc.models.student.transforms.hop import with_hop

TINY = StudentConfig(mels=24, channels=16, hidden=(24, 24), dilations=(1, 4), outputs=16, bands=12)


def noise(seconds: float, rate: int = 16_000) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return 0.1 * torch.randn(1, 1, 1, round(seconds * rate), generator=generator)


@pytest.mark.parametrize(
    ("hop_ms", "rate", "hop", "analysis", "dilations"),
    [
        (2.5, 16_000, 40, 512, (4, 16)),
        (5.0, 16_000, 80, 512, (2, 8)),
        (10.0, 16_000, 160, 512, (1, 4)),
        (20.0, 16_000, 320, 512, (1, 2)),
        (10.0, 24_000, 240, 768, (1, 4)),
        (20.0, 22_050, 441, 704, (1, 2)),
    ],
)
def test_durations_stay_at_another_hop_and_rate(
    hop_ms: float, rate: int, hop: int, analysis: int, dilations: tuple[int, ...]
) -> None:
    config = TINY.at(hop_ms, rate)

    assert (config.hop, config.sample_rate) == (hop, rate)
    assert (config.analysis_window, config.synthesis_window) == (analysis, 2 * hop)
    assert config.dilations == dilations
    assert config.hop_ms == pytest.approx(hop_ms)
    assert Student(config).algorithmic_latency_ms == pytest.approx(2 * hop_ms)


def test_the_same_hop_changes_nothing() -> None:
    assert TINY.at(10.0) is TINY
    wider = replace(TINY, synthesis_window=480)
    assert wider.at(10.0, 16_000) is wider


def test_a_hop_of_no_whole_samples_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hop_ms = 2.5 at 22050 Hz is 55.125 samples"):
        TINY.at(2.5, 22_050)


def test_a_default_student_is_saved_with_the_fields_it_always_had(tmp_path: Path) -> None:
    path = save_student(Student(StudentConfig()), tmp_path / "student.safetensors")

    with safe_open(path, framework="pt") as file:
        config = json.loads(file.metadata()["student"])["config"]
    assert sorted(config) == [
        "analysis_window", "bands", "channel_norm", "channels", "dilations", "head", "hidden",
        "hop", "input_floor", "kernel", "log_floor", "lookahead", "mels", "outputs", "phase",
        "pitch_channels", "sample_rate", "synthesis_window", "target_f0_hz",
    ]  # fmt: skip
    assert load_student(path).config == StudentConfig()


@pytest.mark.parametrize("hop_ms", [2.5, 5.0, 20.0])
def test_the_running_mean_adapts_as_fast_at_every_hop(hop_ms: float) -> None:
    """A step in level is followed by the same share after the same time."""
    torch.manual_seed(0)
    usual, other = Frontend(TINY), Frontend(TINY.at(hop_ms))
    audio = noise(2.0)

    ends = [frontend(audio)[..., -1].mean() for frontend in (usual, other)]
    unlike = Frontend(TINY.at(hop_ms))
    unlike.norm = usual.norm

    assert float(ends[1] - ends[0]) == pytest.approx(0.0, abs=0.15)
    assert abs(float(unlike(audio)[..., -1].mean() - ends[0])) > abs(float(ends[1] - ends[0]))
    assert other.norm.fall == pytest.approx(usual.norm.fall * hop_ms / 10)


@pytest.mark.parametrize("hop_ms", [2.5, 5.0])
def test_the_trunk_does_the_same_on_the_frames_that_both_hops_have(hop_ms: float) -> None:
    torch.manual_seed(0)
    student = Student(TINY).eval()
    moved = with_hop(student, hop_ms)
    every = round(10 / hop_ms)
    frames = torch.randn(1, TINY.mels, 1, 40 * every)

    usual = student.trunk(frames[..., ::every])

    torch.testing.assert_close(moved.trunk(frames)[..., ::every], usual)


@pytest.mark.parametrize("phase", ["fixed", "predicted"])
@pytest.mark.parametrize("hop_ms", [2.5, 5.0, 20.0])
def test_noise_keeps_its_level_at_another_hop(hop_ms: float, phase: str) -> None:
    """Unvoiced throughout, with the filters' biases alone, both are as loud."""
    torch.manual_seed(0)
    student = Student(StudentConfig.from_dict(TINY.to_dict() | {"phase": phase})).eval()
    student.get_parameter("head.controls.weight").data.zero_()
    levels = []
    for one in (student, with_hop(student, hop_ms)):
        prediction = one.predict(noise(2.0))
        sound = one.synthesize(prediction, voicing=torch.zeros_like(prediction.features[:, :1]))
        levels.append(20 * float(sound.detach()[..., 8000:].square().mean().sqrt().log10()))

    assert levels[1] == pytest.approx(levels[0], abs=0.3)


def test_an_istft_head_has_weights_for_one_hop_only() -> None:
    with pytest.raises(ValueError, match="istft head has weights for one hop"):
        with_hop(Student(replace(TINY, head="istft")), 5.0)


def test_a_student_of_before_moves_behind_the_recovering_mean() -> None:
    former = Student(replace(TINY, channel_norm="gated")).eval()
    moved = with_recovering_norm(former)

    assert moved.config == TINY
    assert not moved.training
    assert with_recovering_norm(moved) is moved
    kept = moved.state_dict()
    assert all(torch.equal(value, kept[name]) for name, value in former.state_dict().items())
    with pytest.raises(ValueError, match="channel_norm = 'fast': must be one of recovering, gated"):
        replace(TINY, channel_norm="fast")  # type: ignore[arg-type]

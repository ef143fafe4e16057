from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from edge_vc.models.teacher.config import TeacherConfig
from edge_vc.models.teacher.file import load_teacher, save_teacher
from edge_vc.models.teacher.network import TeacherNetwork

TINY = TeacherConfig(channels=16, bottleneck=8, encoder_blocks=2, decoder_blocks=2)


def inputs(frames: int = 60) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    log_mel, f0 = torch.randn(2, 80, frames), torch.full((2, frames), 150.0)
    return log_mel, f0, torch.full((2,), 5.0), torch.zeros(2, dtype=torch.long)


@pytest.mark.parametrize("head", ["source-filter", "istft"])
def test_both_heads_speak(head: str) -> None:
    network = TeacherNetwork(replace(TINY, head=head))
    out = network(*inputs(), torch.randn(2, 9600))
    assert out.audio.shape == (2, 9600)
    assert out.content.shape == (2, 8, 60)
    torch.testing.assert_close(network.encode(inputs()[0]), out.content)


def test_given_noise_makes_output_repeatable() -> None:
    network, noise = TeacherNetwork(TINY), torch.randn(2, 9600)
    given = inputs()
    assert torch.equal(network(*given, noise).audio, network(*given, noise).audio)
    assert not torch.equal(network(*given).audio, network(*given).audio)


@pytest.mark.parametrize("attention_blocks", [0, 2])
def test_output_depends_on_no_more_than_its_context(attention_blocks: int) -> None:
    config = replace(TINY, attention_blocks=attention_blocks, attention_reach=10)
    network = TeacherNetwork(config).eval()
    context = config.context_frames
    frames = 2 * context + 41
    log_mel, f0, mean, voice = inputs(frames)
    with torch.no_grad():
        before = network.analyse(log_mel, f0, mean, voice)[1]
        log_mel = log_mel.clone()
        log_mel[..., 0] += 3.0
        log_mel[..., -1] += 3.0
        after = network.analyse(log_mel, f0, mean, voice)[1]
    inner = slice(context + 1, frames - context - 1)
    torch.testing.assert_close(after[..., inner], before[..., inner])
    assert not torch.allclose(after, before)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"head": "wavenet"}, "'wavenet' is not one of"), ({"heads": 3}, "16 channels do not divide")],
)
def test_impossible_sizes_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)  # type: ignore[arg-type]


def test_a_file_keeps_configuration_and_weights(tmp_path: Path) -> None:
    network = TeacherNetwork(replace(TINY, head="istft", attention_reach=7))
    path = save_teacher(network, tmp_path / "t.safetensors", {"run": "{}"})
    again = load_teacher(path)
    assert again.config == network.config
    assert not list(tmp_path.glob("*.part"))
    for name, value in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, rtol=1e-3, atol=1e-3)


def test_what_is_softer_than_the_floor_is_not_told_apart() -> None:
    network = TeacherNetwork(replace(TINY, floor=-2.0)).eval()
    log_mel, *rest = inputs()
    noise = torch.randn(2, 9600)
    soft = torch.where(log_mel < -2.0, log_mel - 3.0, log_mel)
    assert not torch.equal(soft, log_mel)
    given = network(log_mel, *rest, noise).audio
    torch.testing.assert_close(network(soft, *rest, noise).audio, given)
    torch.testing.assert_close(network.encode(soft), network.encode(log_mel))


def test_contents_move_to_the_targets_nearest_units() -> None:
    network = TeacherNetwork(replace(TINY, units=5, neighbours=1))
    network.units.copy_(torch.eye(5, 8))
    content = 0.1 * torch.randn(1, 8, 5) + 3 * torch.eye(8)[None, :, :5]
    torch.testing.assert_close(network.retrieve(content)[0].T, torch.eye(5, 8))
    network.config = replace(network.config, retrieval=0.25)
    expected = 0.75 * content[0].T + 0.25 * torch.eye(5, 8)
    torch.testing.assert_close(network.retrieve(content)[0].T, expected)


@pytest.mark.parametrize("neighbours", [1, 2, 3])
def test_a_content_becomes_the_mean_of_its_nearest_units(neighbours: int) -> None:
    network = TeacherNetwork(replace(TINY, units=6, neighbours=neighbours))
    near = torch.eye(8)[0] + 0.1 * torch.arange(1, 4)[:, None] * torch.eye(8)[1:4]
    network.units.copy_(torch.cat([-near, near.flip(0)]))
    found = network.retrieve(torch.eye(8)[None, :, :1])
    torch.testing.assert_close(found[0, :, 0], near[:neighbours].mean(0))


def test_gradients_pass_the_units() -> None:
    network = TeacherNetwork(replace(TINY, units=5, neighbours=1))
    network.units.copy_(torch.eye(5, 8))
    content = torch.randn(1, 8, 5, requires_grad=True)
    network.retrieve(content).sum().backward()
    assert content.grad is not None
    torch.testing.assert_close(content.grad, torch.ones(1, 8, 5))


def test_a_teacher_without_units_keeps_its_contents() -> None:
    content = torch.randn(1, 8, 5)
    assert torch.equal(TeacherNetwork(TINY).retrieve(content), content)


def test_units_are_stored_with_the_weights(tmp_path: Path) -> None:
    network = TeacherNetwork(replace(TINY, units=6, neighbours=2)).eval()
    network.units.copy_(torch.randn(6, 8).half())
    kept = load_teacher(save_teacher(network, tmp_path / "t.safetensors", {}))
    assert torch.equal(kept.units, network.units)
    assert kept.config == network.config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": 4}, "8 neighbours of 4 units"),
        ({"retrieval": 1.5}, "within 0..1"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(TINY, **changes)  # type: ignore[arg-type]

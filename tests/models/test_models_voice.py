from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from voice_toys import former_teacher

from edge_vc.models.voice import blocks
from edge_vc.models.voice.blocks import Attention
from edge_vc.models.voice.config import VoiceConfig
from edge_vc.models.voice.file import FormerTeacherError, load_voice, save_voice, voice_contents
from edge_vc.models.voice.head import overlap_add, pulse_train, spectra
from edge_vc.models.voice.network import Loudness, VoiceNetwork, nearest

TINY = VoiceConfig(
    content_width=6, channels=16, bottleneck=8, blocks_before=1, blocks_after=1, attention_reach=8
)


def inputs(frames: int = 60) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    contents, f0 = torch.randn(2, frames // 2, 6), torch.full((2, frames), 150.0)
    f0[:, ::7] = 0
    return contents, f0, torch.full((2,), 5.0), torch.randn(2, frames), torch.randn(2, frames * 160)


def test_contents_become_a_waveform() -> None:
    torch.manual_seed(0)
    network = VoiceNetwork(TINY)
    audio = network(*inputs())
    assert audio.shape == (2, 9600)
    assert torch.equal(audio, network(*inputs()))
    audio.square().mean().backward()
    assert all(p.grad is not None for p in network.parameters())


def test_a_frame_depends_on_no_more_than_its_context() -> None:
    torch.manual_seed(0)
    network = VoiceNetwork(TINY).eval()
    contents, f0, mean, loudness, _ = inputs(120)
    whole = network.bands(contents, f0, mean, loudness)
    reach = TINY.context_frames
    low, high = 60 - reach, 62 + reach
    part = network.bands(
        contents[:, low // 2 : high // 2], f0[:, low:high], mean, loudness[:, low:high]
    )
    torch.testing.assert_close(part[..., reach : reach + 2], whole[..., 60:62])


def test_attention_in_parts_is_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    attention, x = Attention(16, 4, reach=25), torch.randn(2, 137, 16)
    whole = attention(x)
    monkeypatch.setattr(blocks, "QUERIES", 40)
    torch.testing.assert_close(attention(x), whole, rtol=1e-4, atol=1e-5)


def test_a_spectrum_and_back() -> None:
    audio, window = torch.randn(1, 6400), torch.hann_window(640)
    again = overlap_add(spectra(audio, window, 160), window, 160)
    torch.testing.assert_close(again[:, 800:-800], audio[:, 800:-800], rtol=1e-3, atol=1e-4)


def test_pulses_have_unit_power_and_the_asked_pitch() -> None:
    pulses = pulse_train(torch.full((1, 100), 200.0), 160, 16000)[0]
    assert float(pulses.square().mean()) == pytest.approx(1.0, rel=0.05)
    spectrum = torch.fft.rfft(pulses[:16000]).abs()
    strong = torch.nonzero(spectrum > 0.3 * spectrum.max())[:, 0]
    assert set((strong % 200).tolist()) <= {0, 1, 199}


def test_no_pulses_without_voice() -> None:
    assert not pulse_train(torch.zeros(1, 10), 160, 16000).any()


def test_retrieval_moves_contents_to_the_nearest_units() -> None:
    torch.manual_seed(0)
    network = VoiceNetwork(replace(TINY, units=5, neighbours=1, retrieval=1.0))
    network.units.copy_(torch.eye(5, 6))
    contents = torch.tensor([[0.1, 3.0, 0.2, 0, 0, 0]])
    torch.testing.assert_close(network.retrieve(contents), network.units[1:2])
    half = VoiceNetwork(replace(TINY, units=5, neighbours=1, retrieval=0.5))
    half.units.copy_(torch.eye(5, 6))
    torch.testing.assert_close(half.retrieve(contents), (contents + network.units[1:2]) / 2)
    assert torch.equal(VoiceNetwork(TINY).retrieve(contents), contents)


def test_nearest_is_by_cosine_without_the_mean() -> None:
    bank = torch.tensor([[11.0, 10.0], [10.0, 11.0], [30.0, 10.0]])
    found = nearest(torch.tensor([[10.5, 10.0]]), bank, torch.full((2,), 10.0), 2)
    assert set(found[0].tolist()) == {0, 2}


def test_loudness_is_relative_to_the_loud_half() -> None:
    audio = torch.randn(1, 16_000, generator=torch.Generator().manual_seed(0))
    audio[:, 8000:] *= 0.01
    level = Loudness()(audio)
    assert level.shape == (1, 100)
    assert float(level[0, 5:45].mean()) == pytest.approx(0, abs=0.1)
    assert float(level[0, 55:95].mean()) == pytest.approx(-4.6, abs=0.2)
    torch.testing.assert_close(Loudness()(0.1 * audio)[0, 5:45], level[0, 5:45], atol=0.05, rtol=0)


def test_a_file_keeps_weights_and_sizes(tmp_path: Path) -> None:
    network = VoiceNetwork(replace(TINY, units=3, neighbours=2))
    path = save_voice(network, tmp_path / "voice.safetensors", {"run": "{}"})
    loaded = load_voice(path)
    assert loaded.config == network.config
    torch.testing.assert_close(loaded.embed.weight, network.embed.weight, atol=1e-3, rtol=1e-3)
    assert voice_contents(path) == "whisper"


def test_other_weights_are_told_from_a_voice_s(tmp_path: Path) -> None:
    former = former_teacher(tmp_path / "teacher.safetensors")
    assert voice_contents(former) == ""
    with pytest.raises(FormerTeacherError, match="^is of a teacher that learnt contents from many"):
        load_voice(former)
    save_file({"voice.weight": torch.zeros(1, 16)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="^no weights of a voice"):
        load_voice(tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"heads": 3}, "16 channels do not divide by 3 heads"),
        ({"content_rate": 30}, "content_rate = 30"),
        ({"units": 2}, "4 neighbours of 2 units"),
        ({"retrieval": 1.5}, "retrieval = 1.5"),
        ({"units": 2_000_000}, "units = 2000000: must be within 0..1000000"),
        ({"channels": 0}, "channels = 0: must be within 1..4096"),
    ],
)
def test_sizes_that_do_not_fit_are_named(change: dict[str, float], fact: str) -> None:
    with pytest.raises(ValueError, match=fact):
        replace(TINY, **change)  # type: ignore[arg-type]

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from edge_vc.audio.io import AudioError
from edge_vc.models.teacher.config import TeacherConfig
from edge_vc.models.teacher.file import one_voice
from edge_vc.models.teacher.network import TeacherNetwork
from edge_vc.teachers.default import DefaultTeacher
from edge_vc.teachers.network import CHUNK_FRAMES

TINY = replace(
    TeacherConfig(), channels=16, bottleneck=8, encoder_blocks=2, decoder_blocks=2, speakers=3
)


@pytest.fixture(scope="module")
def teacher() -> DefaultTeacher:
    torch.manual_seed(0)
    return DefaultTeacher(one_voice(TeacherNetwork(TINY)))


def buzz(seconds: float, hz: float = 110.0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    time = np.arange(int(16000 * seconds)) / 16000
    wave = sum(np.sin(2 * np.pi * hz * k * time) / k for k in range(1, 20))
    return (0.1 * wave).astype(np.float32)


@pytest.mark.parametrize("samples", [160, 161, 16000, 16123])
def test_output_is_as_long_as_the_input(teacher: DefaultTeacher, samples: int) -> None:
    audio = teacher.convert(buzz(1.1)[:samples])
    assert audio.shape == (samples,)
    assert np.isfinite(audio).all()


def test_conversion_is_deterministic(teacher: DefaultTeacher) -> None:
    assert np.array_equal(teacher.convert(buzz(0.5)), teacher.convert(buzz(0.5)))


def test_pitch_moves_to_the_target(teacher: DefaultTeacher) -> None:
    f0 = teacher.label(buzz(1.0)).f0
    mean = np.exp(np.log(f0[f0 > 0]).mean())
    assert mean == pytest.approx(np.exp(TINY.target_log_f0), rel=0.01)


def test_silence_stays_silent(teacher: DefaultTeacher) -> None:
    assert not teacher.convert(np.zeros(3200, np.float32)).any()


@pytest.mark.parametrize("shape", [(0,), (159,), (2, 1600)])
def test_unusable_audio_is_named(teacher: DefaultTeacher, shape: tuple[int, ...]) -> None:
    with pytest.raises(AudioError, match="mono of 160 samples or more"):
        teacher.convert(np.zeros(shape, np.float32))


def test_weights_survive_a_file(teacher: DefaultTeacher, tmp_path: Path) -> None:
    path = teacher.save(tmp_path / "t.safetensors", {"seed": "0"})
    again = DefaultTeacher.load(path).convert(buzz(0.5))
    # Stored as float16.
    np.testing.assert_allclose(again, teacher.convert(buzz(0.5)), atol=2e-3)


def test_one_voice_drops_everybody_else() -> None:
    torch.manual_seed(1)
    network = TeacherNetwork(TINY)
    assert network.voice.weight.shape[0] == 3
    kept = one_voice(network)
    assert kept.voice.weight.shape[0] == 1
    assert torch.equal(kept.voice.weight[0], network.voice.weight[0])


def test_long_recordings_are_cut_without_a_seam(
    teacher: DefaultTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = buzz(12.0) * np.linspace(0.2, 1.0, 12 * 16000, dtype=np.float32)
    assert len(audio) // 160 < CHUNK_FRAMES
    whole = teacher.label(audio).bands
    monkeypatch.setattr("edge_vc.teachers.network.CHUNK_FRAMES", 400)
    np.testing.assert_allclose(teacher.label(audio).bands, whole, atol=1e-4)

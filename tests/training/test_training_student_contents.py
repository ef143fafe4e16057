"""Contents: from a teacher's labels to what a student's trunk learns first."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from voice_toys import TINY as TINY_VOICE
from voice_toys import ToyEncoder

from edge_vc.labelling.label import with_inside
from edge_vc.labelling.labels import LabelledAudio, load_labels, pack_labels
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student
from edge_vc.models.voice.network import VoiceNetwork
from edge_vc.teachers.voice import VoiceTeacher
from edge_vc.training.devices import OneDevice
from edge_vc.training.student.contents import ContentsReader, reader_for, soft_units
from edge_vc.training.student.distiller import Distillation
from edge_vc.training.student.settings import DistillSettings

TINY = StudentConfig(channels=16, hidden=(16, 16), dilations=(1, 2), outputs=16)
SETTINGS = DistillSettings(
    steps=40, batch=2, segment_seconds=0.32, seed=3, contents=1.0, contents_first=0.9
)


def example(seed: int, contents: int = 5, frames: int = 160) -> LabelledAudio:
    """Noise that is loud or soft by turns, and contents that say which."""
    rng = np.random.default_rng(seed)
    loud = np.repeat(rng.integers(0, 2, frames // 8), 8).astype(np.float32)
    source = (np.repeat(loud, 160) * 3000 + 200) * rng.normal(size=frames * 160)
    signs = np.array([1.0, -1.0, 2.0, 0.5, -0.5], np.float32)[:contents, None]
    return LabelledAudio(
        source.astype(np.int16),
        (source // 2).astype(np.int16),
        np.full(frames, 150.0, np.float32),
        np.zeros((0, frames), np.float16),
        (signs * (loud - 0.5)).astype(np.float16),
    )


def student() -> Student:
    torch.manual_seed(0)
    return Student(TINY)


def run(folder: Path, settings: DistillSettings = SETTINGS) -> list[dict[str, float]]:
    Distillation(
        student(), [example(1), example(2)], settings, folder, OneDevice("cpu", "32")
    ).run()
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_labels_keep_contents_and_their_frames_follow_a_hop(tmp_path: Path) -> None:
    labels = example(1)
    path = tmp_path / "a.npz"
    path.write_bytes(pack_labels(labels))
    again = load_labels(path)
    assert np.array_equal(again.contents, labels.contents)
    halves = again.at_hop(80).contents
    assert halves.shape == (5, 320)
    assert np.abs(halves[:, 1::2] - halves[:, ::2]).max() <= 1.0
    path.write_bytes(pack_labels(replace(labels, contents=labels.contents[:0])))
    assert len(load_labels(path).contents) == 0


class Told:
    """What a teacher with a look inside says; one from outside has no contents."""

    def __init__(self, audio: np.ndarray, frames: int) -> None:
        self.audio = audio
        self.f0 = np.full(frames, 150.0, np.float32)
        self.bands = np.zeros((0, frames), np.float32)


def test_a_teacher_of_ours_tells_contents_and_one_from_outside_need_not() -> None:
    teacher = VoiceTeacher(VoiceNetwork(TINY_VOICE), ToyEncoder())
    audio = 0.1 * np.random.default_rng(0).normal(size=8_000).astype(np.float32)
    labels = teacher.label(audio)
    assert labels.contents.shape == (TINY_VOICE.bottleneck, len(labels.f0))
    assert with_inside(audio, Told(audio, 50), 16_000).labels.contents.shape == (0, 50)


@pytest.mark.parametrize("units", [0, 2], ids=["regression", "soft-units"])
def test_the_trunk_learns_to_tell_contents(tmp_path: Path, units: int) -> None:
    reader = reader_for(16, [example(1), example(2)], units, 0)
    batch = torch.from_numpy(example(1).contents.astype(np.float32))[None, :, None]
    before = float(reader(torch.zeros(1, 16, 1, batch.shape[-1]), batch).detach())
    log = run(tmp_path, replace(SETTINGS, contents_units=units, steps=100))
    assert log[-1]["contents"] < 0.75 * before


def test_nothing_is_synthesised_while_contents_come_first(tmp_path: Path, monkeypatch) -> None:
    calls = []
    original = Student.synthesize
    monkeypatch.setattr(Student, "synthesize", lambda *a, **k: calls.append(1) or original(*a, **k))
    log = run(tmp_path)
    assert 0 < len(calls) <= 4  # the last tenth of 40 steps
    assert {"stft", "mel", "contents"} <= log[-1].keys()


def test_the_reader_does_not_ship_and_a_killed_run_goes_on_with_it(tmp_path: Path) -> None:
    settings = replace(SETTINGS, steps=12)
    whole = Distillation(student(), [example(1)], settings, tmp_path / "a").run()
    assert whole.state_dict().keys() == student().state_dict().keys()
    stopped = Distillation(student(), [example(1)], settings, tmp_path / "b")
    stopped.folder.mkdir()
    for step in range(5):
        stopped._train_step(stopped.batches.draw(2, np.random.default_rng([3, step])), step / 12)
    stopped.checkpoint.save(5, 1.0)
    again = Distillation(student(), [example(1)], settings, tmp_path / "b").run()
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_labels_without_contents_are_one_line(tmp_path: Path) -> None:
    silent = replace(example(1), contents=np.zeros((0, 160), np.float16))
    with pytest.raises(ValueError, match="do not say what is said; label again"):
        Distillation(student(), [example(2), silent], SETTINGS, tmp_path)


def test_every_voice_has_a_reader_of_its_own() -> None:
    contents = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    voices = [
        replace(example(1), contents=(contents.T + moved).numpy().astype(np.float16))
        for moved in (0, 3)
    ]
    reader = reader_for(4, voices, 0, 0, voices=[0, 1])
    for moved, each in zip((0, 3), reader.readers, strict=True):
        torch.nn.init.zeros_(each.linear.bias)
        with torch.no_grad():
            each.linear.weight.copy_(torch.eye(4)[:, :, None, None])
            assert torch.allclose(each.mean, contents.mean(0) + moved, atol=1e-2)
    first = ((contents - reader.readers[0].mean) / reader.readers[0].scale).T[None, :, None]
    told = torch.cat([contents.T[None, :, None], 3 + contents.T[None, :, None]])
    voice = torch.eye(2)[:, :, None, None].expand(-1, -1, 1, 200)
    right = reader(torch.cat([first, first]), told, voice).detach()
    assert float(right) == pytest.approx(0, abs=1e-3)
    wrong = reader(torch.cat([first, first]), told, voice.flip(0)).detach()
    assert float(wrong) > 1
    alone = reader(torch.cat([first, -first]), told, voice)
    alone.backward()
    assert float(reader.readers[0].linear.weight.grad.abs().max()) < 1e-3
    assert float(reader.readers[1].linear.weight.grad.abs().max()) > 0.1


def test_teachers_whose_contents_are_of_different_widths_are_one_line() -> None:
    wider = replace(example(2), contents=np.zeros((9, 160), np.float16))
    with pytest.raises(ValueError, match="values per frame; train the teachers with one"):
        reader_for(4, [example(1), wider], 0, 0, voices=[0, 1])


def test_soft_units_find_the_clusters() -> None:
    generator = torch.Generator().manual_seed(0)
    middles = torch.tensor([[5.0, 0.0], [-5.0, 0.0]])
    frames = middles.repeat(200, 1) + 0.1 * torch.randn(400, 2, generator=generator)
    centres = soft_units(frames, 2, seed=1)
    assert torch.allclose(centres.sort(0).values, middles.sort(0).values, atol=0.1)


def test_a_perfect_reader_has_no_loss() -> None:
    contents = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    reader = ContentsReader(4, contents)
    torch.nn.init.zeros_(reader.linear.bias)
    with torch.no_grad():
        reader.linear.weight.copy_(torch.eye(4)[:, :, None, None])
    scaled = ((contents - reader.mean) / reader.scale).T[None, :, None]
    found = reader(scaled, contents.T[None, :, None]).detach()
    assert float(found) == pytest.approx(0, abs=1e-6)

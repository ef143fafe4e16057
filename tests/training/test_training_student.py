"""The script that trains a student from scratch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner
from voices import record

from edge_vc.command_line.steps import stderr_console
from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.config import TIERS, StudentConfig
from edge_vc.models.student.file import save_student
from edge_vc.models.student.student import Student
from edge_vc.models.student.transforms.hop import with_hop
from edge_vc.training.cli import app
from edge_vc.training.student import corpus_labels
from edge_vc.training.student import run as script
from edge_vc.training.student.distiller import Distillation
from edge_vc.training.student.run import StudentRun, new_student
from edge_vc.training.student.settings import DistillSettings


def test_a_run_that_goes_on_keeps_its_pitch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught: list[Student] = []
    monkeypatch.setattr(
        script, "train_pitch", lambda student, *rest, **more: taught.append(student)
    )
    noise = np.random.default_rng(0).normal(0, 1000, 80 * 160).astype(np.int16)
    example = LabelledAudio(
        noise, noise, np.full(80, 150, np.float32), np.zeros((0, 80), np.float16)
    )
    for steps in (1, 2):
        torch.manual_seed(0)
        config = StudentConfig(channels=8, hidden=(8,), dilations=(1,), outputs=8)
        settings = DistillSettings(steps=steps, batch=1, segment_seconds=0.32)
        training = Distillation(Student(config), [example], settings, tmp_path)
        script._train(training, "wide", stderr_console())
        assert training.step == steps
    assert len(taught) == 1


def test_a_new_student_is_of_the_hop_and_rate_that_are_asked_for(tmp_path: Path) -> None:
    plain = new_student(StudentRun(tmp_path, tmp_path, tier="nano"), 150.0).config
    assert (plain.hop_ms, plain.sample_rate) == (10.0, 16_000)
    args = StudentRun(tmp_path, tmp_path, tier="nano", hop_ms=5.0, sample_rate=24_000)
    config = new_student(args, 150.0).config
    assert (config.hop, config.sample_rate, config.target_f0_hz) == (120, 24_000, 150.0)
    assert config == replace(TIERS["nano"].at(5.0, 24_000), target_f0_hz=150.0)
    with pytest.raises(ValueError, match=r"hop_ms = 2\.5 at 22050 Hz is 55\.125 samples"):
        new_student(replace(args, hop_ms=2.5, sample_rate=22_050), 150.0)


def test_weights_to_start_from_move_to_the_hop_but_keep_their_rate(tmp_path: Path) -> None:
    old = Student(TIERS["nano"])
    start = save_student(old, tmp_path / "old.safetensors")
    args = StudentRun(tmp_path, tmp_path, tier="nano", start=start, hop_ms=5.0)
    found = new_student(args, 150.0)
    assert found.config.hop == 80
    torch.testing.assert_close(found.state_dict(), with_hop(old, 5.0).state_dict())
    with pytest.raises(ValueError, match=r"is for 16000 Hz, not --sample-rate 24000"):
        new_student(replace(args, sample_rate=24_000), 150.0)


class LabelledError(Exception):
    """Ends the run where the labels are asked for."""


def test_the_verb_labels_at_the_rate_of_the_student(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path / "corpus", 1, 0.5)
    asked: list[int] = []
    made: list[StudentConfig] = []

    def label_here(*given: object, sample_rate: int) -> None:
        asked.append(sample_rate)
        raise LabelledError

    def watched(args: StudentRun, target_f0_hz: float) -> Student:
        student = new_student(args, target_f0_hz)
        made.append(student.config)
        return student

    monkeypatch.setattr(corpus_labels, "label_here", label_here)
    monkeypatch.setattr(script, "new_student", watched)
    args = ["student", "--corpus", str(tmp_path / "corpus"), "--out", str(tmp_path / "out")]
    args += ["--tier", "nano", "--hop-ms", "20", "--sample-rate", "8000", "--steps", "1"]
    args += ["--threads", str(torch.get_num_threads())]
    done = CliRunner().invoke(app, args)
    assert "LabelledError" in done.output
    assert asked == [8000]
    assert [(config.hop, config.sample_rate) for config in made] == [(160, 8000)]

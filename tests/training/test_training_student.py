"""The script that trains a student from scratch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from edge_vc.command_line.steps import stderr_console
from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student
from edge_vc.training.student import run as script
from edge_vc.training.student.distiller import Distillation
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

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from edge_vc.models.student.config import TIERS, StudentConfig
from edge_vc.models.student.file import save_student
from edge_vc.models.student.student import Student
from edge_vc.models.student.transforms.fixed_phase import with_fixed_phase
from edge_vc.training.student.run import StudentRun, new_student

TINY = StudentConfig(
    channels=16, hidden=(16, 16), dilations=(1, 2), outputs=16, bands=8, phase="predicted"
)


def predicting() -> Student:
    torch.manual_seed(0)
    student = Student(TINY).eval()
    controls = student.head.get_submodule("controls")
    with torch.no_grad():
        controls.get_parameter("bias")[2:-1:3] = torch.linspace(-2, 2, 8)
    return student


def speech(seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return (0.1 * np.random.default_rng(seed).standard_normal(8000)).astype(np.float32)


def test_the_phase_becomes_its_mean_and_the_rest_stays() -> None:
    student = predicting()
    fixed = with_fixed_phase(student, [speech()])
    assert fixed.config == replace(TINY, phase="fixed")
    assert not fixed.training
    audio = torch.from_numpy(speech(1)[:4800])[None, None, None]
    with torch.no_grad():
        before, after = student.predict(audio), fixed.predict(audio)
        heard = torch.from_numpy(speech())[None, None, None]
        mean = student.predict(heard).bands[0, :, 2].mean(-1)
        # The old student with the mean in place of its phases says what the new one says.
        told = before.bands.clone()
        told[:, :, 2] = mean[None, :, None]
        expected = student.synthesize(replace(before, bands=told))
        torch.testing.assert_close(fixed.synthesize(after), expected)
    torch.testing.assert_close(after.bands, before.bands[:, :, :2])
    assert after.voicing is not None
    assert before.voicing is not None
    torch.testing.assert_close(after.voicing, before.voicing)


def test_a_phase_that_cannot_be_found_is_refused() -> None:
    fixed = with_fixed_phase(predicting(), [speech()])
    with pytest.raises(ValueError, match="no phase that could be fixed"):
        with_fixed_phase(fixed, [speech()])
    with pytest.raises(ValueError, match="no phase that could be fixed"):
        with_fixed_phase(Student(replace(TINY, head="istft")), [speech()])
    with pytest.raises(ValueError, match="no recordings"):
        with_fixed_phase(predicting(), [])


def test_a_plain_head_of_old_goes_on_without_a_phase(tmp_path: Path) -> None:
    old = Student(replace(TIERS["nano"], head="istft", phase="predicted"))
    start = save_student(old, tmp_path / "old.safetensors")
    args = StudentRun(tmp_path, tmp_path, tier="nano", head="istft", seed=1, start=start)
    new = new_student(args, 155.0)
    torch.testing.assert_close(new.state_dict(), old.state_dict())

"""What a student hears is what its front end makes of each recording alone."""

from __future__ import annotations

import numpy as np
import torch

from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student
from edge_vc.training.student.heard import LOUD_EVERY, TOGETHER, hear
from edge_vc.training.student.noise import NoiseSettings, NoisyCopies

TINY = StudentConfig(channels=16, hidden=(16, 16), dilations=(1, 2), outputs=16)


def recording(frames: int, seed: int) -> LabelledAudio:
    rng = np.random.default_rng(seed)
    source = (rng.normal(0, 2_000, frames * TINY.hop) * rng.uniform(0.1, 1)).astype(np.int16)
    flat = np.zeros(frames, np.float32)
    return LabelledAudio(source, source, flat, np.zeros((0, 0, 0), np.float16))


def test_recordings_do_not_hear_each_other() -> None:
    student = Student(TINY).eval()
    many = {n: recording(30 + 7 * (n % 5), n) for n in range(TOGETHER + 3)}
    heard = hear(student, many, None)
    assert list(map(len, heard.values())) == [1] * len(many)
    for index, example in many.items():
        alone = hear(student, {index: example}, None)[index][0]
        assert heard[index][0].shape == (TINY.mels, len(example.f0))
        np.testing.assert_allclose(heard[index][0], alone, atol=0.02)
        audio = torch.from_numpy(example.source.astype(np.float32) / 32767)[None, None, None]
        fresh = student.frontend(audio)[0, :, 0].detach().numpy()
        after_something = bool((index + 1) % LOUD_EVERY == 0)
        assert np.allclose(alone, fresh, atol=0.02) != after_something


def test_copies_stay_with_their_recording() -> None:
    student = Student(TINY).eval()
    many = {n: recording(120 + n, n) for n in range(4)}
    noise = NoisyCopies(NoiseSettings(share=0.5, copies=2), list(many.values()))
    for index, found in hear(student, many, noise).items():
        shapes = [columns.shape for columns in found]
        assert shapes == [(TINY.mels, len(many[index].f0))] * 3
        assert not np.allclose(found[0], found[1], atol=0.1)

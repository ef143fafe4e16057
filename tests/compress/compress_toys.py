"""Speech and untrained students small enough for tests."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student

RATE = 16000
TINY = StudentConfig(mels=24, channels=32, hidden=(64, 64), dilations=(1, 2), outputs=32, bands=16)


def voice(seconds: float, f0: float, seed: int) -> np.ndarray:
    """A gliding harmonic tone with syllables and breath: enough of speech for a pitch tracker."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    glide = f0 * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * t + seed))
    phase = 2 * np.pi * np.cumsum(glide) / RATE
    tone = sum(np.sin(k * phase) / k for k in range(1, 16))
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * t + seed) + 0.3, 0, 1)
    audio = 0.1 * tone * syllables + 0.003 * rng.standard_normal(len(t))
    return audio.astype(np.float32)


def speech(seconds: float, seed: int = 0) -> Tensor:
    """The same as a signal ``[1, 1, 1, T]``."""
    return torch.from_numpy(voice(seconds, 140.0, seed))[None, None, None]


def settled(config: StudentConfig) -> Student:
    """An untrained student whose norms have seen speech."""
    torch.manual_seed(0)
    student = Student(config).train()
    with torch.no_grad():
        for seed in range(8):
            audio = speech(1.0, seed)
            student.predict(audio[..., : audio.shape[-1] // config.hop * config.hop])
    return student.eval()

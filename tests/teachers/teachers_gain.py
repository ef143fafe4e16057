"""A kind of teacher as a user would add it: one file that registers what it defines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_vc.settings.field import choice, number
from edge_vc.settings.paths import path_field
from edge_vc.teachers.kind import TeacherKind
from edge_vc.teachers.registry import register_teacher
from edge_vc.teachers.spec import TeacherSpec


@dataclass(frozen=True)
class GainSpec(TeacherSpec):
    """A gain that is written in a file."""

    kind: str = choice("gain", "gain")
    path: str = path_field(needed=True, example="half.gain", suffixes=(".gain",))
    """A text file with one number."""
    sample_rate: int = number(16_000, 8_000, 48_000, "Hz")


class GainTeacher:
    def __init__(self, gain: float, sample_rate: int) -> None:
        self.gain, self.sample_rate = gain, sample_rate

    def convert(self, audio: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return audio * np.float32(self.gain)


KIND = TeacherKind(
    GainSpec,
    lambda spec: GainTeacher(float(Path(spec.path).read_text()), spec.sample_rate),
    lambda spec: [Path(spec.path)],
)

register_teacher(KIND)

"""What a teacher is, as data: a frozen dataclass for each kind, in the file of that kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from edge_vc.settings.field import number

HIGHEST_RATE = 192_000


class TeacherError(ValueError):
    """A teacher that cannot be opened or does not answer; one line with the fact."""


@dataclass(frozen=True)
class TeacherSpec:
    """Any teacher. Paths are relative to the working directory."""

    kind: str
    """Which kind of teacher: a name in `edge_vc.teachers.registry`."""

    passing: ClassVar[tuple[str, ...]] = ()
    """Fields that change how an answer is got, not what it is: no part of the teacher's hash."""


@dataclass(frozen=True)
class WaveformSpec(TeacherSpec):
    """A teacher that takes and answers audio at rates of its own."""

    sample_rate: int = number(16_000, 0, HIGHEST_RATE, "Hz")
    """Rate of what the teacher is given; the recordings are resampled to it."""
    output_sample_rate: int = number(0, 0, HIGHEST_RATE, "Hz")
    """Rate of what it answers, resampled back; 0: the same."""


def given_file(spec: TeacherSpec, key: str) -> Path:
    """Return the path under a spec's ``key``; raises `TeacherError` when no file is there."""
    path = Path(str(getattr(spec, key)))
    if not path.is_file():
        raise TeacherError(f'teacher.{key} = "{path}": no such file')
    return path

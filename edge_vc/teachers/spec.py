"""A teacher's settings: a frozen dataclass for each kind, in the file of that kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from edge_vc.settings.field import number

HIGHEST_RATE = 192_000


class TeacherError(ValueError):
    """A teacher that cannot be opened or used; the message is one line with the fact."""


@dataclass(frozen=True)
class TeacherSpec:
    """Any teacher. Paths are relative to the working directory."""

    kind: str
    """Which kind of teacher: a name in `edge_vc.teachers.registry`."""

    passing: ClassVar[tuple[str, ...]] = ()
    """Fields that affect how an output is obtained, not what it is; they are not hashed."""


@dataclass(frozen=True)
class WaveformSpec(TeacherSpec):
    """A teacher with its own input and output sample rates."""

    sample_rate: int = number(16_000, 0, HIGHEST_RATE, "Hz")
    """Rate of the teacher's input; the recordings are resampled to it."""
    output_sample_rate: int = number(0, 0, HIGHEST_RATE, "Hz")
    """Rate of its output, which is resampled back; 0: the same."""


def given_file(spec: TeacherSpec, key: str) -> Path:
    """Return the path under a spec's ``key``; raises `TeacherError` if there is no such file."""
    path = Path(str(getattr(spec, key)))
    if not path.is_file():
        raise TeacherError(f'teacher.{key} = "{path}": no such file')
    return path

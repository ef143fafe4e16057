"""Opens weights of our own teacher network."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError

from edge_vc.teachers.default import DEFAULT_WEIGHTS, DefaultTeacher
from edge_vc.teachers.loading import given_file
from edge_vc.teachers.spec import DefaultSpec, TeacherError


def load(spec: DefaultSpec) -> DefaultTeacher:
    """Open the shipped weights or the given ones; raises `TeacherError`."""
    path = sources(spec)[0]
    try:
        return DefaultTeacher.load(path)
    except (SafetensorError, LookupError, TypeError, ValueError, RuntimeError) as error:
        fact = str(error).splitlines()[0]
        raise TeacherError(f'teacher.weights = "{spec.weights}": not a teacher: {fact}') from error


def sources(spec: DefaultSpec) -> list[Path]:
    """Return the file of the weights."""
    if spec.weights == "shipped":
        if not DEFAULT_WEIGHTS.is_file():
            raise TeacherError(f'teacher.weights = "shipped": {DEFAULT_WEIGHTS} does not exist')
        return [DEFAULT_WEIGHTS]
    return [given_file(spec, "weights")]

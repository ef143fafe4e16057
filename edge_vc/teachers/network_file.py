"""Opens weights of our own teacher network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_vc.assets import DEFAULT_WEIGHTS
from edge_vc.settings.field import choice
from edge_vc.settings.paths import path_field
from edge_vc.teachers.kind import TeacherKind
from edge_vc.teachers.spec import TeacherError, TeacherSpec, given_file

if TYPE_CHECKING:
    from edge_vc.teachers.weights import OwnTeacher


@dataclass(frozen=True)
class DefaultSpec(TeacherSpec):
    """Our own network."""

    kind: str = choice("default", "default")
    weights: str = path_field("shipped", suffixes=(".safetensors",))
    """``shipped``, or the path of a teacher's ``.safetensors``."""


SHIPPED = DefaultSpec()
"""The teacher that comes with the project."""


def load(spec: DefaultSpec) -> OwnTeacher:
    """Open the shipped weights or the given ones; raises `TeacherError`."""
    from safetensors import SafetensorError

    from edge_vc.models.content.encoder import ContentError
    from edge_vc.teachers.weights import open_weights

    path = sources(spec)[0]
    try:
        return open_weights(path)
    except ContentError as error:
        raise TeacherError(f'teacher.weights = "{spec.weights}": {error}') from error
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


KIND = TeacherKind(DefaultSpec, load, sources)

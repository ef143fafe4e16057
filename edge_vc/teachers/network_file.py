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
    from edge_vc.teachers.voice import VoiceTeacher


@dataclass(frozen=True)
class DefaultSpec(TeacherSpec):
    """Our own network."""

    kind: str = choice("default", "default")
    weights: str = path_field("shipped", suffixes=(".safetensors",))
    """``shipped``, or the path of a teacher's ``.safetensors``."""
    contents: str = ""
    """Content encoder, if it is another than the weights name: ``whisper`` for a voice that uses
    ``distilled`` contents, which are like Whisper's."""


SHIPPED = DefaultSpec()
"""The teacher that comes with the project."""


def is_shipped(teacher: TeacherSpec) -> bool:
    """Whether it is the voice that comes with the project, with any content encoder."""
    return isinstance(teacher, DefaultSpec) and teacher.weights == SHIPPED.weights


def load(spec: DefaultSpec) -> VoiceTeacher:
    """Open the shipped weights or the given ones; raises `TeacherError`."""
    from safetensors import SafetensorError

    from edge_vc.models.content.encoder import ContentError
    from edge_vc.models.voice.file import FormerTeacherError
    from edge_vc.teachers.weights import open_weights

    path = sources(spec)[0]
    try:
        return open_weights(path, spec.contents)
    except (ContentError, FormerTeacherError) as error:
        raise TeacherError(f'teacher.weights = "{spec.weights}": {error}') from error
    except (SafetensorError, LookupError, TypeError, ValueError, RuntimeError) as error:
        fact = str(error).splitlines()[0]
        raise TeacherError(f'teacher.weights = "{spec.weights}": not a teacher: {fact}') from error


def sources(spec: DefaultSpec) -> list[Path]:
    """Return the weights file, and that of the content encoder if it comes with Edge VC."""
    from edge_vc.teachers.weights import content_files

    if not is_shipped(spec):
        path = given_file(spec, "weights")
    elif DEFAULT_WEIGHTS.is_file():
        path = DEFAULT_WEIGHTS
    else:
        raise TeacherError(f'teacher.weights = "shipped": {DEFAULT_WEIGHTS} does not exist')
    return [path, *content_files(path, spec.contents)]


KIND = TeacherKind(DefaultSpec, load, sources)

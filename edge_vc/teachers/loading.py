"""Opens teachers of any kind and identifies them by content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from edge_vc.settings.paths import replace_path, whole
from edge_vc.teachers.registry import teacher_kinds
from edge_vc.teachers.spec import TeacherError, TeacherSpec
from edge_vc.teachers.teacher import Teacher


def open_teacher(spec: TeacherSpec) -> Teacher:
    """Open a teacher; raises `TeacherError` with a one-line reason if it cannot be opened."""
    return teacher_kinds()[spec.kind].load(spec)


def teacher_hash(spec: TeacherSpec) -> str:
    """Return the sha256 over a teacher's settings and the bytes of its files.

    Paths do not count, only file contents; nor do settings like time limits, which do not change
    the output. Of a module's code, only the file with the factory counts, not what it imports.
    Raises `TeacherError` if a file is missing.
    """
    files = teacher_kinds()[spec.kind].sources(spec)
    settings = {
        field.name: _without_paths(field, getattr(spec, field.name), files)
        for field in fields(spec)
        if field.name not in spec.passing and field.metadata.get("paths") is not whole
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for path in files:
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise TeacherError(f"{path}: cannot be read ({error.strerror})") from error
    return digest.hexdigest()


def _without_paths(field: Field[Any], value: object, files: Sequence[Path]) -> object:
    """Return a setting with every path of a file replaced, since files are hashed by content."""
    parts = field.metadata.get("paths")
    if parts is None or not isinstance(value, str):
        return value
    for part in parts(value):
        if Path(part) in files:
            value = replace_path(value, part, "FILE")
    return value

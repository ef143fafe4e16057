"""Opens teachers of any kind and tells them apart by content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from edge_vc.teachers.spec import TeacherError, TeacherSpec
from edge_vc.teachers.teacher import Teacher

ADAPTERS = {
    "default": "edge_vc.teachers.network_file",
    "module": "edge_vc.teachers.module",
    "program": "edge_vc.teachers.program",
    "onnx": "edge_vc.teachers.onnx_file",
    "pairs": "edge_vc.teachers.pairs_folder",
    "command": "edge_vc.teachers.command",
}
"""Where each kind is opened; loaded when it is asked for."""


class Adapter(Protocol):
    """What a module in `ADAPTERS` offers."""

    def load(self, spec: TeacherSpec) -> Teacher:
        """Open the teacher; raises `TeacherError` with the file and the fact."""
        ...

    def sources(self, spec: TeacherSpec) -> Sequence[Path]:
        """Files that make the teacher what it is."""
        ...


def open_teacher(spec: TeacherSpec) -> Teacher:
    """Open a teacher; raises `TeacherError` with one line about why it cannot be."""
    return _adapter(spec).load(spec)


def teacher_hash(spec: TeacherSpec) -> str:
    """Return the sha256 over a teacher's settings and the bytes of its files.

    Paths do not count, only what lies there; nor do settings like time limits, which change no
    answer. Of a module's code it sees the file with the factory, not what that imports.
    Raises `TeacherError` when a file is missing.
    """
    files = _adapter(spec).sources(spec)
    names = {str(path) for path in files}
    settings = {
        key: value
        for key, value in asdict(spec).items()
        if key not in ("path", "weights", *spec.passing) and value not in names
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for path in files:
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise TeacherError(f"{path}: cannot be read ({error.strerror})") from error
    return digest.hexdigest()


def given_file(spec: TeacherSpec, key: str) -> Path:
    """Return the path under a spec's ``key``; raises `TeacherError` when no file is there."""
    path = Path(str(getattr(spec, key)))
    if not path.is_file():
        raise TeacherError(f'teacher.{key} = "{path}": no such file')
    return path


def _adapter(spec: TeacherSpec) -> Adapter:
    return cast(Adapter, import_module(ADAPTERS[spec.kind]))

"""A kind of teacher: its settings and what opens it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

from edge_vc.settings.notes import first_line, plain
from edge_vc.teachers.spec import TeacherSpec
from edge_vc.teachers.teacher import Teacher


@dataclass(frozen=True)
class TeacherKind:
    """Everything that the rest of the project needs to know about a kind of teacher."""

    spec: type[TeacherSpec]
    """Frozen dataclass of its settings. The default of ``kind`` is the kind's name; `path_field`
    says which field is needed, and which file suffix stands for it."""
    load: Callable[[Any], Teacher]
    """Opens a teacher with such settings; raises `TeacherError` with the file and the fact."""
    sources: Callable[[Any], Sequence[Path]]
    """Returns the files that define the teacher; raises `TeacherError`."""
    code: bool = False
    """Whether it runs code that the settings name; stated in the help and on first use."""

    @property
    def name(self) -> str:
        """Value of ``kind`` in a recipe."""
        return str(self._field("kind").default)

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        return plain(first_line(self.spec))

    @property
    def needed(self) -> tuple[str, ...]:
        """Keys that must be given."""
        return tuple(f.name for f in fields(self.spec) if f.metadata.get("needed"))

    @property
    def suffixes(self) -> dict[str, str]:
        """The key that a file is assigned to, by the file's suffix."""
        return {
            suffix: f.name for f in fields(self.spec) for suffix in f.metadata.get("suffixes", ())
        }

    @property
    def folder(self) -> str:
        """The key that a folder is assigned to; empty if a folder cannot be such a teacher."""
        return next((f.name for f in fields(self.spec) if f.metadata.get("folder")), "")

    def _field(self, name: str) -> Field[Any]:
        return next(field for field in fields(self.spec) if field.name == name)

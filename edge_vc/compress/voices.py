"""Section ``[voices]``: several voices in one student, a teacher for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_vc.models.student.inputs import voice_input
from edge_vc.settings.field import RecipeError, Value
from edge_vc.teachers.reading import spec_from_table, spec_from_words
from edge_vc.teachers.spec import TeacherSpec


@dataclass(frozen=True)
class Voices:
    """Teachers by the name of their voice; empty if the recipe has a single ``[teacher]``."""

    teachers: tuple[tuple[str, TeacherSpec], ...] = ()
    """The first voice is the student's default."""

    def __post_init__(self) -> None:
        """Raise `RecipeError` for a single voice and for a name that a bundle cannot have."""
        if len(self.teachers) == 1:
            raise RecipeError(
                f"voices.{self.names[0]}: is the only one; give two or more, or write [teacher]"
            )
        try:
            if self.teachers:
                voice_input(self.names)
        except ValueError as error:
            raise RecipeError(f"[voices]: {error}") from error

    @classmethod
    def from_table(cls, table: Mapping[str, object], folder: Path | None = None) -> Voices:
        """Read ``name = "my-voice"``, as ``--teacher`` takes it, or ``name = {kind = ...}``.

        Relative paths that exist in ``folder``, the recipe's, are resolved against it. Raises
        `RecipeError` naming the voice.
        """
        found: dict[str, TeacherSpec] = {}
        for name, value in table.items():
            try:
                found[name] = _teacher(value, folder)
            except RecipeError as error:
                raise RecipeError(f"voices.{name}: {error}") from error
        return cls(tuple(found.items()))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the voices, the default one first."""
        return tuple(name for name, _ in self.teachers)

    def to_dict(self) -> dict[str, dict[str, Value]]:
        """Return the section as plain values, the inverse of `from_table`."""
        return {name: asdict(teacher) for name, teacher in self.teachers}


def _teacher(value: object, folder: Path | None) -> TeacherSpec:
    if isinstance(value, str):
        here = folder / value if folder else Path(value)
        return spec_from_words(str(here) if here.exists() else value)
    if isinstance(value, Mapping):
        return spec_from_table(value, folder)
    raise RecipeError(f"{value!r}: is not a teacher; write the path of one, as in --teacher")

"""Teachers from recipes and command lines."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from edge_vc.settings.field import RecipeError, section_from_table, unknown
from edge_vc.settings.paths import with_paths_from
from edge_vc.teachers.network_file import SHIPPED
from edge_vc.teachers.registry import choices, teacher_kinds
from edge_vc.teachers.spec import TeacherSpec

VOICE_WEIGHTS = "voice.safetensors"
"""Weights that `edge-vc train teacher` leaves in its run folder."""


def spec_from_table(table: Mapping[str, object], folder: Path | None = None) -> TeacherSpec:
    """Return the teacher of a ``[teacher]`` table; raises `RecipeError` for a bad key or value.

    Relative paths that exist in ``folder``, the recipe's, are resolved there, others in the working
    directory.
    """
    name = table.get("kind", "default")
    kinds = teacher_kinds()
    if not isinstance(name, str) or name not in kinds:
        raise unknown("kind of teacher", "teacher.kind", kinds, name)
    kind = kinds[name]
    spec = section_from_table(
        kind.spec, table, "teacher", key_noun=f"key of teachers of kind {name}"
    )
    for key in kind.needed:
        if not getattr(spec, key):
            raise RecipeError(f'teacher.{key}: is needed by kind = "{name}"')
    return with_paths_from(spec, folder) if folder else spec


def spec_from_words(what: str) -> TeacherSpec:
    """Return the teacher that a command line names; see `choices`.

    Raises `RecipeError` for anything else.
    """
    path = Path(what)
    if what == "shipped":
        return SHIPPED
    if (path / VOICE_WEIGHTS).is_file():
        return spec_from_table({"weights": str(path / VOICE_WEIGHTS)})
    if path.suffix == ".toml":
        return _spec_from_recipe(path)
    for kind in teacher_kinds().values():
        key = kind.suffixes.get(path.suffix.lower()) or (kind.folder if path.is_dir() else "")
        if key:
            return spec_from_table({"kind": kind.name, key: what})
    allowed = ", ".join(word for word, _ in choices())
    raise RecipeError(f"{what}: no teacher; give {allowed}")


def _spec_from_recipe(path: Path) -> TeacherSpec:
    """Read ``[teacher]`` of a recipe; its other sections are those of `edge_vc.compress`."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8", errors="surrogateescape")).get(
            "teacher", {}
        )
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RecipeError(f"{path}: not valid TOML: {error}") from error
    if not isinstance(table, dict):
        raise RecipeError(f"{path}: teacher = {table!r}: is a section, write [teacher]")
    try:
        return spec_from_table(table, path.parent)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error

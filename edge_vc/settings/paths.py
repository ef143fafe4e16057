"""Settings that contain paths: which fields do, and which folder they are relative to."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

Settings = TypeVar("Settings")
Parts = Callable[[str], Sequence[str]]
"""Returns the parts of a value that are paths."""


def whole(value: str) -> list[str]:
    """Return the value as the only path; none if it is empty."""
    return [value] if value else []


def file_of_factory(value: str) -> list[str]:
    """Return the file of ``path/to/file.py:function``; none for ``package.module:function``."""
    name = value.rpartition(":")[0]
    return [name] if name.endswith(".py") else []


def words(value: str) -> list[str]:
    """Return the words of a command line, any of which may be a path."""
    try:
        return shlex.split(value)
    except ValueError:
        return []


def path_field(
    default: str = "",
    *,
    needed: bool = False,
    example: str = "",
    suffixes: tuple[str, ...] = (),
    folder: bool = False,
    parts: Parts = whole,
) -> Any:
    """Declare a string that is a path or contains paths.

    ``needed``: the settings are useless without it. ``suffixes``, or ``folder``: such a path alone
    tells which settings are meant.
    """
    metadata = {
        "paths": parts,
        "needed": needed,
        "example": example,
        "suffixes": suffixes,
        "folder": folder,
    }
    return field(default=default, metadata=metadata)


def with_paths_from(settings: Settings, folder: Path) -> Settings:
    """Return ``settings`` with relative paths that exist under ``folder`` resolved against it.

    Absolute paths and paths that do not exist there are unchanged: the latter are relative to the
    working directory, as everywhere else.
    """
    if folder.resolve() == Path.cwd():
        return settings
    changes = {}
    for spec in fields(settings):  # type: ignore[arg-type]
        parts = spec.metadata.get("paths")
        value = getattr(settings, spec.name)
        if parts is None:
            continue
        for part in parts(value):
            if not Path(part).is_absolute() and (folder / part).exists():
                value = replace_path(value, part, shlex_safe(folder.resolve() / part, parts))
        changes[spec.name] = value
    return replace(settings, **changes)  # type: ignore[type-var]


def paths_named(settings: object) -> dict[str, str]:
    """Return the values of path fields with every existing path replaced by ``FILE``.

    They are equal for settings that refer to the same files by different paths.
    """
    found = {}
    for spec in fields(settings):  # type: ignore[arg-type]
        if "paths" in spec.metadata:
            value = getattr(settings, spec.name)
            for part in spec.metadata["paths"](value):
                if Path(part).exists():
                    value = replace_path(value, part, "FILE")
            found[spec.name] = value
    return found


def replace_path(value: str, part: str, new: str) -> str:
    """Return ``value`` with its path ``part``, a word or the start of ``part:name``, replaced."""
    pattern = rf"(?<!\S)(['\"]?){re.escape(part)}\1(?=:|\s|$)"
    return re.sub(pattern, lambda _: new, value)


def shlex_safe(path: Path, parts: Parts) -> str:
    """Return ``path`` as written in a value with these ``parts``, quoted in a command line."""
    return shlex.quote(str(path)) if parts is words else str(path)

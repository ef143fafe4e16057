"""The profile of the board that this runs on: its engine and number of threads."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_vc_runtime.schema.fields import FieldError, Fields, parse_object
from edge_vc_runtime.sysfs import device_model

BOARDS = Path(__file__).with_name("boards.json")
"""Boards identified by the model in their device tree."""
INSTALLED_NAME = "board.json"
SYSTEM_FOLDER = Path("etc/edge-vc")
_LIMIT = 1 << 20  # bytes of a file
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"


@dataclass(frozen=True)
class BoardProfile:
    """The part of a board's profile that a session needs."""

    name: str
    engine: str
    threads: int
    source: str
    """Origin: the file written by an installer, or the device tree's model."""


class BoardProfileError(ValueError):
    """A profile file that cannot be read; one line."""


def find_board(
    root: Path = Path("/"),
    environment: Mapping[str, str] | None = None,
    boards: Path = BOARDS,
) -> BoardProfile | None:
    """Return the profile of this board, None on an unknown machine.

    An installer's file takes precedence: ``$XDG_CONFIG_HOME/edge-vc/board.json`` (``~/.config`` by
    default), then ``/etc/edge-vc/board.json``, one object with ``name``, ``engine`` and
    ``threads``. Otherwise the device tree's model is looked up in ``boards``. ``root`` is the
    folder that contains ``proc`` and ``etc``. Raises `BoardProfileError`.
    """
    for path in (user_folder("CONFIG", ".config", environment), root / SYSTEM_FOLDER):
        installed = _read_installed(path / INSTALLED_NAME)
        if installed:
            return installed
    model = device_model(root)
    return _recognise(model, boards) if model else None


def user_folder(kind: str, default: str, environment: Mapping[str, str] | None = None) -> Path:
    """Return this project's folder of a kind (``CONFIG``, ``STATE``) by the XDG specification."""
    environment = os.environ if environment is None else environment
    base = environment.get(f"XDG_{kind}_HOME", "")
    # The specification says that relative paths are to be ignored.
    folder = Path(base) if base.startswith("/") else Path(environment.get("HOME", "/")) / default
    return folder / "edge-vc"


def _read_installed(path: Path) -> BoardProfile | None:
    data = _read(path)
    if data is None:
        return None
    try:
        fields = Fields(parse_object(data))
        profile = _profile(fields, str(path))
        fields.done()
    except FieldError as error:
        raise BoardProfileError(f"{path}: {error}; delete it or install again") from error
    return profile


def _recognise(model: str, boards: Path) -> BoardProfile | None:
    data = _read(boards)
    if data is None:
        return None
    try:
        for entry in json.loads(data):
            fields = Fields(entry)
            profile = _profile(fields, f"its model is {model!r:.60}")
            if any(isinstance(part, str) and part in model for part in fields.items("models", 64)):
                return profile
    except (FieldError, TypeError, ValueError) as error:
        raise BoardProfileError(f"{boards}: {error}; install edge-vc-runtime again") from error
    return None


def _profile(fields: Fields, source: str) -> BoardProfile:
    return BoardProfile(
        name=fields.text("name", _NAME, 64),
        engine=fields.text("engine", _NAME, 32),
        threads=fields.integer("threads", 1, 64),
        source=source,
    )


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(_LIMIT)
    except OSError:
        return None

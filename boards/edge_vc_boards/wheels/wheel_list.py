"""The wheels collected for a board: ``wheels.json`` beside them, checked when they are used."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_vc_boards.board import BoardError
from edge_vc_runtime.files.writing import write_whole
from edge_vc_runtime.schema.fields import FieldError, parse_object
from edge_vc_runtime.schema.records import from_json_value

LIST_NAME = "wheels.json"
REQUIREMENTS = "requirements.txt"
_LIMIT = 1 << 20  # bytes
_FILE = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}\.whl"


@dataclass(frozen=True)
class ListedWheel:
    """One wheel."""

    file: str
    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True)
class WheelList:
    """The wheels of one board, system, Python and engine."""

    board: str
    system: str
    python: str
    engine: str
    requirements: tuple[str, ...]
    """The requirements as requested; if they differ, the wheels are collected again."""
    live: str
    """Package for live audio: ``PyAudio``, ``sounddevice``, or empty."""
    note: str
    """Why it is not PyAudio and what the board then needs; empty otherwise."""
    wheels: tuple[ListedWheel, ...]


def list_wheel(path: Path) -> ListedWheel:
    """Return a wheel's name, hash and size."""
    data = path.read_bytes()
    return ListedWheel(path.name, hashlib.sha256(data).hexdigest(), len(data))


def write_list(folder: Path, made: WheelList) -> None:
    """Write ``wheels.json``, and ``requirements.txt``, with which pip checks every hash again."""
    lines = [f"# {made.board}, {made.system}, Python {made.python}, engine {made.engine}"]
    lines += ["# pip install --no-index --find-links FOLDER --require-hashes -r THIS_FILE"]
    for wheel in made.wheels:
        project, version, *_ = wheel.file.split("-")
        lines.append(f"{project}=={version} --hash=sha256:{wheel.sha256}")
    write_whole(folder / REQUIREMENTS, "\n".join([*lines, ""]))
    write_whole(folder / LIST_NAME, json.dumps(asdict(made), indent=1) + "\n")


def check_wheels(folder: Path) -> WheelList:
    """Return what ``folder`` holds after hashing every wheel.

    Raises `BoardError` if the list or a wheel is missing, damaged or not as listed.
    """
    path = folder / LIST_NAME
    try:
        with path.open("rb") as file:
            listed = from_json_value(WheelList, parse_object(file.read(_LIMIT)))
    except OSError as error:
        raise BoardError(f"{path}: {error.strerror or error}") from error
    except FieldError as error:
        raise BoardError(f"{path}: {error}") from error
    for wheel in listed.wheels:
        if not re.fullmatch(_FILE, wheel.file):
            raise BoardError(f"{path}: {wheel.file!r:.100} is not the name of a wheel")
        _check(folder / wheel.file, wheel)
    return listed


def _check(path: Path, wheel: ListedWheel) -> None:
    try:
        size = path.stat().st_size
        found = list_wheel(path) if size == wheel.size and path.is_file() else None
    except OSError as error:
        raise BoardError(f"{path}: {error.strerror or error}") from error
    if found != wheel:
        raise BoardError(f"{path}: is not the wheel that {LIST_NAME} lists; collect them again")

"""The wheels for a board: collected once per kind of board, or from a folder of the user's."""

from __future__ import annotations

import hashlib
import re
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.board import Board, BoardError, System
from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.wheels.collect import collect_wheels
from edge_vc_boards.wheels.requirements import WheelSet, wheel_set
from edge_vc_boards.wheels.runtime_wheel import write_runtime_wheel
from edge_vc_boards.wheels.wheel_list import (
    REQUIREMENTS,
    ListedWheel,
    WheelList,
    check_wheels,
    list_wheel,
)
from edge_vc_runtime.board_profile import user_folder

_COLLECTING = threading.Lock()
"""Boards of the same kind in a fleet share their wheels."""


@dataclass(frozen=True)
class CarriedWheels:
    """Wheels on this machine, checked."""

    folder: Path
    listed: WheelList

    @property
    def requirements(self) -> bytes:
        """Requirements file with which pip checks them on the board."""
        return (self.folder / REQUIREMENTS).read_bytes()

    @property
    def id(self) -> str:
        """Name of the virtual environment made from them."""
        text = self.requirements + f"python {self.listed.python}".encode()
        return hashlib.sha256(text).hexdigest()[:12]

    def missing(self, there: dict[str, str]) -> list[ListedWheel]:
        """Return the wheels that a board lacks; ``there`` maps file names to hashes."""
        return [each for each in self.listed.wheels if there.get(each.file) != each.sha256]


def carried_wheels(
    board: Board, system: System, python: str, engine: str | None, say: Callable[[str], None]
) -> CarriedWheels:
    """Return the wheels for a board, cached in the user's cache folder; raises `BoardError`."""
    wanted = wheel_set(board, engine, python, system.key)
    name = f"{board.name}-{system.key}-{python}-{wanted.engine.name}"
    folder = user_folder("CACHE", ".cache") / "wheels" / name
    with _COLLECTING:
        kept = _kept(wanted, folder)
        if kept is None:
            say(f"collecting the wheels of {board.name} for Python {python}, once")
            kept = collect_wheels(wanted, folder, say)
    if kept.note:
        say(f"note: {kept.note}")
    return CarriedWheels(folder, kept)


def given_wheels(folder: Path, board: Board, python: str) -> CarriedWheels:
    """Return the wheels that the user collected with ``edge-vc wheels --into``.

    Raises `BoardError` for a damaged folder and `FlashError` for wheels of another machine.
    """
    listed = check_wheels(folder)
    if listed.python != python:
        raise FlashError(
            f"{folder}: wheels for Python {listed.python}, the board has {python}: edge-vc wheels "
            f"{board.name} --python {python} --into DIR"
        )
    for wheel in listed.wheels:
        tag = wheel.file.removesuffix(".whl").rpartition("-")[2]
        if tag != "any" and not re.search(rf"_{board.arch}(\.|$)", tag):
            raise FlashError(f"{folder}: {wheel.file} is not for {board.arch}")
    return CarriedWheels(folder, listed)


def _kept(wanted: WheelSet, folder: Path) -> WheelList | None:
    try:
        listed = check_wheels(folder)
    except BoardError:
        return None
    if listed.requirements != tuple(wanted.lines()):
        return None
    with tempfile.TemporaryDirectory() as name:
        runtime = list_wheel(write_runtime_wheel(Path(name)))
    return listed if runtime in listed.wheels else None

"""Wheels for every supported system of a board, for executable files and playbooks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.board import Board, System
from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.request import FlashRequest
from edge_vc_boards.flash.wheel_choice import CarriedWheels, carried_wheels, given_wheels
from edge_vc_boards.profile_folder import load_board
from edge_vc_boards.wheels.wheel_list import check_wheels

DEFAULT_BOARD = "pi4"
"""Its wheels run on every Raspberry Pi with a 64-bit system."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class CarriedSystem:
    """A system and its wheels."""

    system: System
    wheels: CarriedWheels


def carried_systems(
    request: FlashRequest, system: str | None, say: Say
) -> tuple[Board, list[CarriedSystem]]:
    """Return the requested board and one system per Python, or only the given one.

    Raises `FlashError` for a bundle for other boards or wheels that do not fit.
    """
    board = load_board(request.board or DEFAULT_BOARD)
    boards = request.bundle.manifest.boards
    if "*" not in boards and board.name not in boards:
        raise FlashError(f"{request.bundle.path}: is for {', '.join(boards)}; name it with --board")
    rows = (board.system_named(system),) if system else board.systems
    return board, [_carried(board, row, request, say) for row in _wanted(rows, request.wheels)]


def _wanted(rows: tuple[System, ...], folder: Path | None) -> list[System]:
    """Return, per Python, the system with the oldest glibc; limited to ``folder`` if given."""
    by_python: dict[str, System] = {}
    for row in sorted(rows, key=lambda row: [int(part) for part in row.glibc.split(".")]):
        by_python.setdefault(row.python, row)
    if folder is None:
        return list(by_python.values())
    python = check_wheels(folder).python
    if python not in by_python:
        raise FlashError(
            f"{folder}: wheels for Python {python}, the board has {', '.join(by_python)}"
        )
    return [by_python[python]]


def _carried(board: Board, system: System, request: FlashRequest, say: Say) -> CarriedSystem:
    if request.wheels is not None:
        return CarriedSystem(system, given_wheels(request.wheels, board, system.python))
    wheels = carried_wheels(board, system, system.python, request.engine, say)
    return CarriedSystem(system, wheels)

"""``edge-vc flash --bundle-app``: the bundle and the wheels of a board in one file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge_vc_boards.board import Board, System
from edge_vc_boards.flash.app.app_file import AppTarget, write_app
from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.request import FlashRequest
from edge_vc_boards.flash.signer_key import check_signed, read_signer_key
from edge_vc_boards.flash.wheel_choice import carried_wheels, given_wheels
from edge_vc_boards.profile_folder import load_board
from edge_vc_boards.wheels.wheel_list import check_wheels

DEFAULT_BOARD = "pi4"
"""Its wheels run on every Raspberry Pi with the 64-bit system."""
Say = Callable[[str], None]


def make_app(request: FlashRequest, out: Path, system: str | None, say: Say) -> list[str]:
    """Write the file for the systems of a board, or for one; return the Pythons that it is for.

    Raises `FlashError` for a bundle that is refused or wheels that do not fit.
    """
    board = load_board(request.board or DEFAULT_BOARD)
    boards = request.bundle.manifest.boards
    if "*" not in boards and board.name not in boards:
        raise FlashError(f"{request.bundle.path}: is for {', '.join(boards)}; name it with --board")
    if request.run_arguments:
        raise FlashError("--bundle-app: arguments are given to the file when it is called")
    key = read_signer_key(request.trust) if request.trust else None
    check_signed(request.bundle, key, request.allow_unsigned)
    rows = (board.system_named(system),) if system else board.systems
    targets = [_target(board, row, request, say) for row in _wanted(rows, request.wheels)]
    return write_app(out, board.arch, targets, request.bundle)


def _wanted(rows: tuple[System, ...], folder: Path | None) -> list[System]:
    """Return one system per Python, the one with the oldest glibc; those of ``folder`` only."""
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


def _target(board: Board, system: System, request: FlashRequest, say: Say) -> AppTarget:
    if request.wheels is not None:
        return AppTarget(system, given_wheels(request.wheels, board, system.python))
    wheels = carried_wheels(board, system, system.python, request.engine, say)
    return AppTarget(system, wheels)

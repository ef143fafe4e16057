"""``edge-vc flash --bundle-app``: the bundle and the wheels of a board in one file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge_vc_boards.flash.app.app_file import write_app
from edge_vc_boards.flash.carried_systems import carried_systems
from edge_vc_boards.flash.request import FlashRequest
from edge_vc_boards.flash.signer_key import check_signed, read_signer_key

Say = Callable[[str], None]


def make_app(request: FlashRequest, out: Path, system: str | None, say: Say) -> list[str]:
    """Write the file for all systems of a board, or for one; return the Python versions supported.

    Raises `FlashError` for a rejected bundle or wheels that do not fit.
    """
    key = read_signer_key(request.trust) if request.trust else None
    check_signed(request.bundle, key, request.allow_unsigned)
    board, systems = carried_systems(request, system, say)
    return write_app(out, board.arch, systems, request.bundle)

"""Board data used on the board itself: how it identifies itself and what it runs by default.

`edge_vc_runtime` ships this as ``boards.json``; after a profile has changed, regenerate it with
``make boards``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import edge_vc_runtime
from edge_vc_boards.board import Board
from edge_vc_boards.profile_folder import shipped_boards
from edge_vc_runtime.files.writing import write_whole

FILE_NAME = "boards.json"


def catalogue(boards: Iterable[Board]) -> str:
    """Return the boards as JSON: ``name``, ``models``, ``engine`` and ``threads`` of each one
    that can be identified."""
    entries = [
        {
            "name": board.name,
            "models": list(board.models),
            "engine": board.defaults.engine,
            "threads": board.defaults.threads,
        }
        for board in boards
        if board.models
    ]
    return json.dumps(entries, indent=1) + "\n"


def catalogue_path() -> Path:
    """Return its path in the runtime's package."""
    return Path(edge_vc_runtime.__file__).parent / FILE_NAME


def write_catalogue() -> Path:
    """Write the shipped boards into the runtime's package; return the path."""
    path = catalogue_path()
    write_whole(path, catalogue(shipped_boards()))
    return path


if __name__ == "__main__":
    write_catalogue()

"""The last step of a flash, alone: what switches the release, over a connection of its own."""

from __future__ import annotations

import threading
from pathlib import Path

from boards_served import ServedBoard

from edge_vc_boards.flash.board_shell import BoardShell
from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.ssh import SshConnection


class Activation(threading.Thread):
    """Installs a bundle that the board has already, in a thread so that the test can kill it."""

    def __init__(self, board: ServedBoard, root: Path, venv: str, bundle: Path) -> None:
        """``root`` and ``bundle`` as the board names them; ``venv`` is one of its environments."""
        super().__init__()
        self._words = [str(root), venv, str(bundle), "no", "", "--allow-downgrade"]
        self._board, self.code = board, -1
        """Its exit code; 255 where the connection broke."""

    def run(self) -> None:
        with SshConnection(self._board.target()) as connection:
            try:
                self.code = BoardShell(connection).attempt("activate", self._words).code
            except FlashError:
                self.code = 255

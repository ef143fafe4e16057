"""Actions on a board during a flash: queries always run, changes only if permitted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.remote_scripts import ScriptName, script_words
from edge_vc_boards.flash.ssh import RemoteOutput, SshConnection


class BoardShell:
    """Runs the flash scripts on one board."""

    def __init__(self, connection: SshConnection, *, dry_run: bool = False) -> None:
        """Use an open connection; with ``dry_run`` nothing is changed on the board."""
        self.connection = connection
        self.dry_run = dry_run
        self.root_rights = False
        """Whether changes are made with ``sudo -n``."""

    @property
    def name(self) -> str:
        """The board's name as given by the user."""
        return self.connection.target.name

    def ask(self, name: ScriptName, arguments: Sequence[str]) -> str:
        """Run a script that changes nothing and return its output; raises `FlashError`."""
        return self._checked(self.connection.run(script_words(name, arguments)), name).stdout

    def change(
        self,
        name: ScriptName,
        arguments: Sequence[str],
        stdin: Path | bytes | None = None,
        timeout_s: float = 600.0,
    ) -> str:
        """Run a script that has to succeed and return its output; raises `FlashError`."""
        return self._checked(self.attempt(name, arguments, stdin, timeout_s), name).stdout

    def attempt(
        self,
        name: ScriptName,
        arguments: Sequence[str],
        stdin: Path | bytes | None = None,
        timeout_s: float = 600.0,
    ) -> RemoteOutput:
        """Run a script that may fail; raises `FlashError` only if the connection fails."""
        words = script_words(name, arguments, root_rights=self.root_rights)
        if self.dry_run:
            self.connection.show(words, stdin)
            return RemoteOutput(0, "", "")
        return self.connection.run(words, stdin, timeout_s)

    def _checked(self, done: RemoteOutput, name: ScriptName) -> RemoteOutput:
        if done.code:
            raise FlashError(f"{self.name}: {name}: {done.last_line()}")
        return done

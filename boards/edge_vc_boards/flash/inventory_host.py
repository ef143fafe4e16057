"""One board of a fleet: its address and its own settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.flash.ssh import SshTarget

HOST_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
MOST_HOSTS = 10_000


@dataclass(frozen=True)
class InventoryHost:
    """One board of a fleet."""

    name: str
    to: str
    """``user@host``."""
    groups: tuple[str, ...] = ()
    port: int | None = None
    identity: Path | None = None
    board: str | None = None
    """Its profile; None detects it."""
    run: tuple[str, ...] = ()
    """Arguments of its service's ``run``; if empty, those of the command line are used."""

    def target(self, options: tuple[str, ...]) -> SshTarget:
        """Return where to log in; raises `FlashError`."""
        return SshTarget(self.to, self.port, self.identity, options)

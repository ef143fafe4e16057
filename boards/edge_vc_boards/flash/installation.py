"""An installation on a board: list it, roll it back, remove it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from edge_vc_boards.flash.audio_setup import AudioSetup, configure_audio
from edge_vc_boards.flash.board_shell import BoardShell
from edge_vc_boards.flash.deploy_plan import ask_facts
from edge_vc_boards.flash.error import FlashCheckError, FlashError, NotInstalledError
from edge_vc_boards.flash.facts import BoardFacts
from edge_vc_boards.flash.installation_mode import (
    SYSTEM_CONFIG,
    InstallationMode,
    installation_mode,
)


@dataclass(frozen=True)
class BoardInstallation:
    """An existing installation."""

    shell: BoardShell
    facts: BoardFacts
    mode: InstallationMode

    def lines(self) -> list[str]:
        """Return the releases, the current one with a star, the events, and the service."""
        program = f"{self.mode.root}/venv/bin/edge-vc-rt"
        done = self.shell.connection.run([program, "installed", "--root", self.mode.root])
        if done.code:
            raise FlashError(f"{self.shell.name}: {done.last_line()}")
        service = self.facts.active if self.facts.systemd else "no systemd"
        return [*done.stdout.splitlines(), f"service: {service or 'none'}"]

    def summary(self) -> str:
        """Return the current release and the service's state in one line."""
        state = self.facts.active if self.facts.systemd else "no systemd"
        return f"{self.facts.release or 'no release'}, service: {state or 'none'}"

    def roll_back(self, reason: str) -> str:
        """Make the previous release current again and return it; raises `FlashError`."""
        service = "yes" if self.mode.service and self.facts.unit else "no"
        done = self.shell.attempt("rollback", [self.mode.root, service, reason])
        if self.shell.dry_run:
            return ""
        if done.code == 1:
            raise FlashCheckError(f"{self.shell.name}: {done.last_line()}")
        if done.code:
            raise FlashError(f"{self.shell.name}: {done.last_line()}")
        try:
            return str(json.loads(done.stdout.splitlines()[-1])["release"])
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise FlashError(f"{self.shell.name}: {done.last_line()}") from error

    def remove(self) -> list[str]:
        """Remove the service, its account, releases, environments, wheels and sound setup.

        The list of signers is kept.
        """
        service = "yes" if self.mode.service and self.facts.unit else "no"
        lines = self.shell.change("remove", [self.mode.root, service]).splitlines()
        if self.facts.service_user and self.mode.config == SYSTEM_CONFIG:
            lines += self.shell.change("user", ["remove"]).splitlines()
        if self.facts.audio and self.mode.config == SYSTEM_CONFIG:
            lines += configure_audio(self.shell, self.facts, AudioSetup())
        return lines


def find_installation(shell: BoardShell, root: str, *, removing: bool = False) -> BoardInstallation:
    """Return what is installed on a board; raises `NotInstalledError` if there is nothing.

    When ``removing``, a sound setup alone also counts as an installation.
    """
    facts = ask_facts(shell, root)
    if not facts.venv_link and not facts.current and not (removing and facts.audio):
        raise NotInstalledError(f"{shell.name}: nothing is installed in {facts.root}")
    try:
        mode = installation_mode(facts)
    except FlashError as error:
        raise FlashError(f"{shell.name}: {error}") from error
    shell.root_rights = mode.sudo
    return BoardInstallation(shell, facts, mode)

"""Kind of installation: system-wide, with a service, or for one user."""

from __future__ import annotations

from dataclasses import dataclass

from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.facts import BoardFacts
from edge_vc_runtime.install.layout import DEFAULT_ROOT

SYSTEM_CONFIG = "/etc/edge-vc"


@dataclass(frozen=True)
class InstallationMode:
    """The location and rights of an installation on its board."""

    root: str
    sudo: bool
    """Whether changes need ``sudo -n``."""
    config: str
    """Folder that contains the list of signers."""
    service: bool
    no_service: str
    """Why systemd does not run it; empty if it does."""


def installation_mode(facts: BoardFacts, service: bool = True) -> InstallationMode:
    """Return the mode of the installation in ``facts.root``.

    It is system-wide in ``/opt/edge-vc`` and wherever the user may not write. Raises `FlashError`
    if root is needed but not available, and for a disk that is mounted read-only.
    """
    system = facts.root == str(DEFAULT_ROOT) or not facts.writable
    if system and facts.uid != 0 and facts.sudo != "yes":
        reason = "asks for a password" if facts.sudo else "is not installed"
        raise FlashError(
            f"{facts.root} belongs to root, and sudo of {facts.user} {reason} there; log in as "
            f"root, allow it (sudo visudo: {facts.user} ALL=(ALL) NOPASSWD: ALL), or install for "
            "this user alone, without a service: --root edge-vc"
        )
    if system and not facts.root_writable:
        raise FlashError(
            f"{facts.root} is on a disk that cannot be written: sudo mount -o remount,rw / (its "
            "journal says why, sudo dmesg), or name another place with --root"
        )
    reason = (
        "not requested"
        if not service
        else f"{facts.root} is an installation of {facts.user} alone"
        if not system
        else "no systemd runs there"
        if not facts.systemd
        else ""
    )
    return InstallationMode(
        root=facts.root,
        sudo=system and facts.uid != 0,
        config=SYSTEM_CONFIG if system else f"{facts.home}/.config/edge-vc",
        service=not reason,
        no_service=reason,
    )

"""A user's request to flash a board."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.flash.audio_setup import AudioSetup
from edge_vc_boards.flash.error import FlashError
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.install.layout import DEFAULT_ROOT


@dataclass(frozen=True)
class FlashRequest:
    """A bundle and how to install it."""

    bundle: Bundle
    root: str = str(DEFAULT_ROOT)
    """Folder on the board; a relative path starts at the user's home folder there."""
    board: str | None = None
    """Its profile; None detects it."""
    engine: str | None = None
    """None selects the profile's."""
    wheels: Path | None = None
    """Folder of ``edge-vc wheels``; None collects them."""
    trust: Path | None = None
    """Public key of the bundle's signer, for the board's list."""
    allow_unsigned: bool = False
    allow_downgrade: bool = False
    service: bool = True
    """Whether systemd runs the release."""
    run_arguments: tuple[str, ...] = ()
    """Arguments of the service's ``edge-vc-rt run``."""
    audio: AudioSetup | None = None
    """Setup of the sound cards; None changes nothing."""

    def __post_init__(self) -> None:
        """Reject a folder that cannot be written in a unit; raises `FlashError`."""
        check_root(self.root)


@dataclass(frozen=True)
class FlashResult:
    """The result of flashing a board."""

    release: str
    changed: bool
    previous: str
    service: str
    """``running``, or the reason why there is no service."""
    seconds: float


def check_root(root: str) -> None:
    """Reject an invalid installation folder; raises `FlashError`."""
    plain = re.fullmatch(r"/?[A-Za-z0-9_.+-]+(/[A-Za-z0-9_.+-]+)*", root)
    if plain is None or root.startswith("-") or ".." in root.split("/") or root in (".", "/"):
        raise FlashError(
            f"--root {root!r:.100}: has to be a folder of letters, digits and ._+-, like "
            f"{DEFAULT_ROOT}, or one of the home folder there, like edge-vc"
        )

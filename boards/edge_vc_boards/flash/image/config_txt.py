"""A card's ``config.txt`` with sound card overlays, as ``audio.sh`` writes it on a board."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from edge_vc_boards.flash.audio_setup import AudioSetup
from edge_vc_boards.flash.image.error import CardError
from edge_vc_boards.flash.image.fat import FatPartition

CONFIG = "config.txt"
BACKUP = "config.txt.before-edge-vc"
_BEGIN = b"# edge-vc audio: begin (edge-vc flash --configure-audio; --uninstall removes it)\n"
_END = b"# edge-vc audio: end\n"
_BLOCK = re.compile(re.escape(_BEGIN) + b".*?" + re.escape(_END), re.DOTALL)


def audio_files(boot: FatPartition, setup: AudioSetup | None) -> dict[str, Path | bytes]:
    """Return ``config.txt`` and, unless present, a copy of the original; empty without overlays.

    Raises `CardError` for an overlay that the image lacks.
    """
    if setup is None or not setup.overlays:
        return {}
    known = boot.names("overlays")
    for overlay in setup.overlays:
        if f"{overlay.partition(',')[0]}.dtbo" not in known:
            raise CardError(f"has no overlay {overlay.partition(',')[0]:.64} on its boot partition")
    before = boot.read(CONFIG)
    files: dict[str, Path | bytes] = {CONFIG: with_overlays(before, setup.overlays)}
    if BACKUP not in boot.names():
        files[BACKUP] = before
    return files


def with_overlays(config: bytes, overlays: Sequence[str]) -> bytes:
    """Return a ``config.txt`` with a block of overlays at its end, replacing an earlier one."""
    whole = config if config.endswith(b"\n") or not config else config + b"\n"
    lines = "".join(f"dtoverlay={overlay}\n" for overlay in overlays).encode()
    return _BLOCK.sub(b"", whole) + _BEGIN + b"[all]\ndtparam=i2s=on\n" + lines + _END

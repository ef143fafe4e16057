"""``--configure-audio``: overlays for I2S sound cards and persistent names for USB ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edge_vc_boards.flash.board_shell import BoardShell
from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.facts import BoardFacts

_OVERLAY = r"[a-z0-9][a-z0-9_-]{0,63}(,[a-z0-9_-]{1,40}(=[A-Za-z0-9_.-]{1,40})?){0,8}"
_USB = r"usb:([0-9a-f]{4}):([0-9a-f]{4})=([A-Za-z][A-Za-z0-9_]{0,14})"
_RULE = (
    'ACTION=="add", SUBSYSTEM=="sound", KERNEL=="card*", ATTRS{{idVendor}}=="{0}", '
    'ATTRS{{idProduct}}=="{1}", ATTR{{id}}="{2}"'
)
_MOST = 8
NOTHING = "none"
"""Removes what was configured."""


@dataclass(frozen=True)
class AudioSetup:
    """What a board has to load for its sound cards."""

    overlays: tuple[str, ...] = ()
    """Device-tree overlays with their parameters, as in ``config.txt``."""
    rules: tuple[str, ...] = ()
    """Rules for udev, one per line."""


def read_audio_setup(words: Sequence[str]) -> AudioSetup:
    """Read ``hifiberry-dac``, ``NAME,parameter=value``, ``usb:0d8c:0014=Mic``, or ``none``.

    Raises `FlashError`.
    """
    overlays, rules = [], []
    for word in words if tuple(words) != (NOTHING,) else ():
        usb = re.fullmatch(_USB, word)
        if usb:
            rules.append(_RULE.format(*usb.groups()))
        elif re.fullmatch(_OVERLAY, word) and word != NOTHING:
            overlays.append(word)
        else:
            raise FlashError(
                f"--configure-audio {word!r:.80}: has to be an overlay like hifiberry-dac, "
                "usb:VENDOR:PRODUCT=NAME like usb:0d8c:0014=Mic (lsusb shows them), or none alone"
            )
    _check_apart(words)
    if len(overlays) + len(rules) > _MOST:
        raise FlashError(f"--configure-audio: more than {_MOST} sound cards")
    return AudioSetup(tuple(overlays), tuple(rules))


def _check_apart(words: Sequence[str]) -> None:
    """Reject duplicate cards and duplicate names; raises `FlashError`."""
    seen: set[str] = set()
    for word in words:
        found = re.fullmatch(_USB, word)
        parts = (":".join(found.groups()[:2]).lower(), found[3]) if found else (word.split(",")[0],)
        for part in parts:
            if part in seen:
                raise FlashError(f"--configure-audio {word!r:.80}: {part} is given twice")
            seen.add(part)


def configure_audio(shell: BoardShell, facts: BoardFacts, setup: AudioSetup) -> list[str]:
    """Write a board's setup unless it is up to date; return lines that say what has changed.

    The original ``config.txt`` is kept as ``config.txt.before-edge-vc``. Raises `FlashError`.
    """
    if facts.uid != 0 and facts.sudo != "yes":
        raise FlashError(
            f"{shell.name}: config.txt and udev belong to root, and sudo of {facts.user} asks for "
            "a password there; log in as root, or allow it (sudo visudo)"
        )
    before, shell.root_rights = shell.root_rights, facts.uid != 0
    try:
        words = ["\n".join(setup.overlays), "\n".join(setup.rules)]
        said = shell.change("audio", words).split()
    finally:
        shell.root_rights = before
    if shell.dry_run:
        return []
    lines = [f"{shell.name}: sound cards: {'changed' if 'changed' in said else 'unchanged'}"]
    if "restart" in said:
        lines.append(f"{shell.name}: takes effect at its next start: sudo reboot")
    return lines

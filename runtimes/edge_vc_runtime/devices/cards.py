"""The kernel's sound cards, and the programs that use them, from ``/proc``.

PortAudio omits devices that are busy during its scan; the kernel's own list does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from edge_vc_runtime.devices.backend import Direction
from edge_vc_runtime.message import one_line
from edge_vc_runtime.sysfs import read_text

_ALSA_NAME = re.compile(
    r"(?:plug)?hw:(?:CARD=)?(?P<card>[A-Za-z0-9_-]{1,32})(?:,(?:DEV=)?(?P<device>\d{1,3}))?"
)
_LETTERS: dict[Direction, str] = {"input": "c", "output": "p"}


@dataclass(frozen=True)
class CardHolder:
    """A program that has a card open."""

    pid: int
    program: str

    def __str__(self) -> str:
        return f"{self.program} (process {self.pid})"


@dataclass(frozen=True)
class SoundCard:
    """A card with its current kernel numbers."""

    number: int
    id: str
    """ALSA's short name: ``Device`` in ``plughw:CARD=Device,DEV=0``."""
    name: str
    inputs: tuple[int, ...]
    """Numbers of its devices that record."""
    outputs: tuple[int, ...]
    """Numbers of its devices that play."""

    def key(self, device: int) -> str:
        """Return the ALSA name of one of its devices, which survives renumbering."""
        return f"plughw:CARD={self.id},DEV={device}"

    def numbers(self, direction: Direction) -> tuple[int, ...]:
        """Return the numbers of its devices for a direction."""
        return self.inputs if direction == "input" else self.outputs


def sound_cards(root: Path = Path("/")) -> tuple[SoundCard, ...]:
    """Return all cards; empty if the kernel has no sound."""
    folder = root / "proc/asound"
    listing = read_text(root, "proc/asound/cards") or ""
    found = []
    for match in re.finditer(r"^\s*(\d{1,3}) \[(.{1,32}?)\s*\]: (.{1,200})$", listing, re.M):
        card = folder / f"card{match[1]}"
        name = match[3].rpartition(" - ")[2]
        found.append(
            SoundCard(
                number=int(match[1]),
                id=one_line(match[2]),
                name=one_line(name),
                inputs=_devices(card, "c"),
                outputs=_devices(card, "p"),
            )
        )
    return tuple(found)


def find_card(
    name: str, cards: tuple[SoundCard, ...], exact: bool = True
) -> tuple[SoundCard, int] | None:
    """Return the card and device of an ALSA name: ``plughw:CARD=Device,DEV=0``, ``hw:1``.

    None for other names, and for cards that do not exist. If ``exact`` is false, the name may be
    anywhere in ``name``: PortAudio's names end in ``(hw:1,0)``.
    """
    match = _ALSA_NAME.fullmatch(name) if exact else _ALSA_NAME.search(name)
    if match is None:
        return None
    wanted = match["card"]
    for card in cards:
        if card.id == wanted or str(card.number) == wanted:
            return card, int(match["device"] or 0)
    return None


def is_alsa_name(name: str) -> bool:
    """Return whether a name addresses a card directly: ``hw:...`` or ``plughw:...``."""
    return _ALSA_NAME.fullmatch(name) is not None


def card_holders(
    card: SoundCard, device: int, direction: Direction, root: Path = Path("/")
) -> tuple[CardHolder, ...]:
    """Return the programs that have a card's device open in one direction."""
    letter = _LETTERS[direction]
    folder = root / f"proc/asound/card{card.number}/pcm{device}{letter}"
    owners = []
    for status in sorted(folder.glob("sub*/status")):
        match = re.search(
            r"^owner_pid\s*:\s*(\d+)$", read_text(status.parent, "status") or "", re.M
        )
        if match:
            owners.append(int(match[1]))
    if not owners:
        owners = _openers(root, f"/dev/snd/pcmC{card.number}D{device}{letter}")
    return tuple(dict.fromkeys(_holder(owner, root) for owner in owners))


def _devices(card: Path, letter: str) -> tuple[int, ...]:
    names = (path.name for path in card.glob(f"pcm*{letter}"))
    numbers = (re.fullmatch(rf"pcm(\d+){letter}", name) for name in names)
    return tuple(sorted(int(match[1]) for match in numbers if match))


def _holder(owner: int, root: Path) -> CardHolder:
    """Return the process of a thread: ALSA gives the thread that opened the card."""
    text = read_text(root, f"proc/{owner}/status") or ""
    match = re.search(r"^Tgid:\s*(\d+)$", text, re.M)
    pid = int(match[1]) if match else owner
    return CardHolder(pid, one_line(read_text(root, f"proc/{pid}/comm") or "an unknown program"))


def _openers(root: Path, node: str) -> list[int]:
    """Return the processes that have a device file open, as far as visible to this user."""
    found = []
    for process in (root / "proc").glob("[0-9]*"):
        try:
            links = [str(link.readlink()) for link in (process / "fd").iterdir()]
        except OSError:
            continue
        if node in links:
            found.append(int(process.name))
    return sorted(found)

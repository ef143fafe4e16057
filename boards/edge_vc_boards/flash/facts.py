"""Facts that a board reports, read as untrusted input."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from edge_vc_boards.flash.error import FlashError

_SUM = r"[0-9a-f]{64}"


@dataclass(frozen=True)
class BoardFacts:
    """A board before it is flashed; missing numbers are -1, missing texts empty."""

    root: str = ""
    """Installation folder, existing or planned, resolved on the board (user's home folder)."""
    arch: str = ""
    """Kernel architecture, from ``uname -m``."""
    bits: int = -1
    """Word size of programs: 32 on a 32-bit system with a 64-bit kernel."""
    glibc: str = ""
    python: str = ""
    venv: str = ""
    keygen: str = ""
    free_kb: int = -1
    ram_kb: int = -1
    audio_group: int = -1
    cards: int = -1
    """Number of sound cards."""
    audio: str = ""
    """``yes`` if ``--configure-audio`` has written something."""
    model: str = ""
    """Model name in the device tree."""
    tegra: str = ""
    """First line of ``/etc/nv_tegra_release``."""
    power: str = ""
    """A Jetson's power mode, as printed by ``nvpmodel -q``; nothing here changes it."""
    clock: int = -1
    """Time in s since 1970."""
    user: str = ""
    uid: int = -1
    home: str = ""
    writable: str = ""
    """``yes`` if the user may write to the installation folder."""
    sudo: str = ""
    """``yes``, ``password`` if it asks for one, or empty."""
    root_writable: str = ""
    """The same for root, if the user is or can become root: empty on a read-only disk."""
    systemd: str = ""
    current: str = ""
    bundle: str = ""
    """SHA-256 of the current bundle."""
    settled: int = -1
    """1 if the last installation has finished."""
    venv_link: str = ""
    venv_whole: str = ""
    service_user: str = ""
    """``yes`` if the service's account exists."""
    unit: str = ""
    """SHA-256 of the service's unit."""
    active: str = ""
    signers: tuple[str, ...] = ()
    """Folders with lists of signers."""
    trusted: tuple[str, ...] = ()
    """Those that contain the requested key."""
    wheels: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each wheel on the board, by file name."""

    @property
    def release(self) -> str:
        """The current release; empty without one."""
        return self.current.removeprefix("releases/")


def read_facts(text: str, target: str) -> BoardFacts:
    """Parse the output of ``facts.sh``; raises `FlashError` if it is incomplete."""
    pairs = [line.partition("=")[::2] for line in text.splitlines() if "=" in line]
    if ("done", "yes") not in pairs:
        raise FlashError(
            f"{target}: does not answer as a Linux board does; ssh {target} sh has to start a "
            "shell that prints nothing of its own"
        )
    said = dict(pairs)
    values: dict[str, object] = {
        name: _number(said.get(name, "")) if kind == "int" else _printable(said.get(name, ""))
        for name, kind in BoardFacts.__annotations__.items()
        if kind in ("int", "str")
    }
    for name in ("signers", "trusted"):
        values[name] = tuple(_printable(value) for key, value in pairs if key == name)
    listed = [
        re.fullmatch(rf"({_SUM}) ([\w.+-]{{1,200}}\.whl)", value)
        for key, value in pairs
        if key == "wheel"
    ]
    values["wheels"] = {found[2]: found[1] for found in listed if found}
    return BoardFacts(**values)  # type: ignore[arg-type]


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else -1


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:400]

"""Checks whether a board can run a bundle, and which profile fits it."""

from __future__ import annotations

from collections.abc import Iterable

from edge_vc_boards.board import Board, System
from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.facts import BoardFacts
from edge_vc_boards.profile_folder import shipped_names
from edge_vc_boards.wheels.requirements import OLDEST_PYTHON
from edge_vc_runtime.bundle.manifest import Manifest

_GENERIC = {"aarch64": "generic-arm64", "x86_64": "x86-64"}
_RAM_KB = 96 << 10
"""Enough for pip and for one engine to run."""
_EARLIEST = 1_767_225_600  # 2026-01-01


def find_profile(facts: BoardFacts, boards: Iterable[Board], wanted: Board | None) -> Board:
    """Return the profile of a board: that of its model, otherwise the generic one of its processor.

    ``wanted`` is the one given by the user. Raises `FlashError` if the board is a different one.
    """
    known = {board.name: board for board in boards}
    if facts.arch not in _GENERIC:
        raise FlashError(
            f"its processor is {facts.arch or 'unknown'!r:.40}; Edge VC runs on "
            f"{' and '.join(_GENERIC)}, on a Raspberry Pi with the 64-bit Raspberry Pi OS"
        )
    if facts.bits == 32:
        raise FlashError(
            f"its system is 32-bit on a 64-bit kernel ({facts.arch}), for which no engine has "
            "wheels; write the 64-bit Raspberry Pi OS to its card"
        )
    recognised = _recognised(facts, known.values())
    if wanted is None:
        return recognised or known[_GENERIC[facts.arch]]
    other = recognised and wanted.models and not _match(wanted, facts)
    if wanted.arch != facts.arch or other:
        what = facts.model or facts.arch
        raise FlashError(f"--board {wanted.name}: the board is another one ({what:.80})")
    return wanted


def _recognised(facts: BoardFacts, boards: Iterable[Board]) -> Board | None:
    """Return the board whose model fits best; a user's own profile precedes a shipped one."""
    shipped = shipped_names()
    found = [
        (_match(board, facts), board.name not in shipped, board)
        for board in boards
        if _match(board, facts) and board.arch == facts.arch
    ]
    return max(found, key=lambda each: each[:2])[2] if found else None


def _match(board: Board, facts: BoardFacts) -> int:
    """Return the number of characters of the model that match a profile; 0 if none match."""
    return max((len(part) for part in board.models if part in facts.model), default=0)


def find_system(facts: BoardFacts, board: Board) -> System:
    """Return the profile's entry that fits the board's system; raises `FlashError`."""
    release = _tegra(facts)
    rows = [row for row in board.systems if row.tegra_release in ("", release)]
    if not rows:
        known = ", ".join(f"{row.tegra_release} ({row.name})" for row in board.systems)
        raise FlashError(
            f"runs Jetson Linux {release or 'of no known release'}, {board.title} is described "
            f"with {known}; install one of these with NVIDIA's tools"
        )
    fitting = [row for row in rows if _numbers(row.glibc) <= _numbers(facts.glibc)]
    if not fitting:
        oldest = min((row.glibc for row in rows), key=_numbers)
        raise FlashError(
            f"has glibc {facts.glibc or 'of no known version'}, {oldest} or later is needed; "
            f"install {rows[0].name} on it"
        )
    fitting.sort(key=lambda row: (row.python == facts.python, _numbers(row.glibc)))
    return fitting[-1]


def check_facts(facts: BoardFacts, manifest: Manifest, board: Board) -> None:
    """Reject a board that lacks something; raises `FlashError`, which says what to do."""
    if not facts.python:
        raise FlashError("has no python3: sudo apt install python3 python3-venv")
    if _numbers(facts.python) < OLDEST_PYTHON:
        raise FlashError(
            f"its python3 is {facts.python}, {'.'.join(map(str, OLDEST_PYTHON))} or later is "
            "needed: put a newer system on it; Raspberry Pi OS 12, JetPack 6, Debian 12 and "
            "Ubuntu 22.04 have one"
        )
    if not facts.venv:
        raise FlashError(
            f"its Python {facts.python} cannot make virtual environments: sudo apt install "
            "python3-venv"
        )
    if not facts.keygen:
        raise FlashError("cannot check signatures: sudo apt install openssh-client")
    if 0 <= facts.ram_kb < _RAM_KB:
        raise FlashError(
            f"{facts.ram_kb / 1024:.0f} MB of memory are free, {_RAM_KB >> 10} MB are needed; stop "
            "other programs there"
        )
    if "*" not in manifest.boards and board.name not in manifest.boards:
        raise FlashError(
            f"{manifest.name} {manifest.version} is for {', '.join(manifest.boards)[:200]}, this "
            f"is {board.name} ({facts.model or facts.arch})"
        )


def check_sound(facts: BoardFacts) -> None:
    """Reject a board on which the service could not start; raises `FlashError`."""
    if facts.audio_group == 0:
        raise FlashError("has no group audio, in which the service runs: sudo groupadd audio")
    if facts.cards < 1:
        raise FlashError(
            "has no sound card for the service; plug one in, or install without: --no-service"
        )


def check_disk(facts: BoardFacts, wheels: int, bundle: int) -> None:
    """Reject a board whose disk would fill up; both sizes are of missing files, in bytes."""
    # Wheels are kept, and unpacked three times as large; a bundle is received, then copied.
    needed = 4 * wheels + 2 * bundle + (32 << 20)
    if 0 <= facts.free_kb < needed >> 10:
        raise FlashError(
            f"{facts.free_kb / 1024:.0f} MB are free on its disk, {needed / (1 << 20):.0f} MB are "
            "needed; make room there, or name another place with --root"
        )


def facts_notes(facts: BoardFacts) -> list[str]:
    """Return notes that do not prevent an installation."""
    notes = []
    if facts.cards < 1:
        notes.append("it has no sound card; edge-vc-rt run needs one for a live voice")
    if facts.power.strip():
        notes.append(f"its power mode is left as it is: {facts.power.strip():.100}")
    if 0 <= facts.clock < _EARLIEST:
        notes.append(
            "its clock is before 2026: signers are checked as of the time of its list of signers, "
            "and the times of its events are wrong until the clock is set"
        )
    return notes


def _tegra(facts: BoardFacts) -> str:
    """Return ``R36`` from ``# R36 (release), REVISION: 4.3, ...``."""
    words = facts.tegra.replace("#", " ").split()
    return words[0] if words else ""


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    return tuple(int(part) for part in parts) if all(map(str.isdecimal, parts)) else (0,)

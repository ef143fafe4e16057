"""A board behind a real SSH server on loopback: what tests of `edge-vc flash` may ask of it."""

from __future__ import annotations

import os
import random
import shlex
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edge_vc_boards.flash.ssh import RemoteOutput, SshConnection, SshTarget
from edge_vc_runtime.bundle.reader import read_bundle

INSTALLER = "edge-vc-rt install "
"""In the command line of the installer on a board, and of no other process."""


class ServedBoard(Protocol):
    """A board whose server and files can be reached from here."""

    profile: str
    """Name of its profile."""
    python: str
    """Version of its Python, as ``3.11``."""
    slow: float
    """How many times slower than this machine it is; 1 for this machine itself."""

    def target(self) -> SshTarget:
        """Return how to log in."""

    def here(self, path: Path) -> Path:
        """Return where a file of the board is on this machine."""

    def place(self) -> Path:
        """Return a new empty folder of the board, as the board names it."""

    def know(self, key: str) -> None:
        """Write a host key into ``known_hosts``: ``host``, ``other``, or ``none`` for no key."""

    def stranger(self) -> Path:
        """Return a private key that does not open the board."""

    def tool(self, name: str, text: str) -> Path:
        """Put a shell script before the board's own command; return it as it is here."""

    def processes(self) -> dict[int, str]:
        """Return the command lines of what runs for its connections, by process id here."""

    def cut(self) -> None:
        """Kill the processes that serve the connections, and everything that they started."""


def reach(board: ServedBoard) -> list[str]:
    """Return the words by which `edge-vc flash` gets to a board."""
    target = board.target()
    words = ["--to", target.name, "--port", str(target.port), "--identity", str(target.identity)]
    return words + [word for option in target.options for word in ("--ssh-option", option)]


def on_board(board: ServedBoard, *words: str | Path) -> RemoteOutput:
    """Run a command there over SSH."""
    with SshConnection(board.target()) as connection:
        return connection.run([str(word) for word in words], timeout_s=120 * board.slow)


def wait_for_process(
    board: ServedBoard, word: str, alive: Callable[[], bool], timeout_s: float = 60.0
) -> list[int]:
    """Return the processes of a board's connections with ``word`` in their command, once any is.

    ``alive`` says whether what starts them still runs here.
    """
    for _ in range(int(timeout_s * board.slow / 0.01)):
        found = [id for id, line in board.processes().items() if word in line]
        if found:
            return found
        assert alive(), f"ended before it started {word}"
        time.sleep(0.01)
    raise AssertionError(f"no process with {word} within {timeout_s:.0f} s")


def kill_hard(processes: list[int]) -> None:
    """Send SIGKILL to processes that may have ended by themselves."""
    for process in processes:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue


def kill_installer(
    board: ServedBoard, dice: random.Random, span_s: float, alive: Callable[[], bool]
) -> None:
    """Wait until the installer runs there, then at a random moment kill it or its connection."""
    found = wait_for_process(board, INSTALLER, alive)
    time.sleep(dice.uniform(0, span_s))
    if dice.random() < 0.5:
        board.cut()
    else:
        kill_hard(found)


def check_whole(board: ServedBoard, root: Path, releases: set[str]) -> str:
    """Check that ``current`` is one of the releases, every byte of it; return its name."""
    current = board.here(root) / "current"
    release = current.readlink().name
    assert release in releases
    read_bundle(board.here(root) / "releases" / release / "bundle.evc")
    venv = board.here(root) / "venv"
    assert (venv.parent / venv.readlink() / ".complete").exists()
    return release


def children(process: int) -> dict[int, str]:
    """Return the command lines of a process's descendants, by process id."""
    found: dict[int, str] = {}
    try:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        for child in map(int, listed):
            line = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            found[child] = shlex.join(word.decode(errors="replace") for word in line if word)
            found |= children(child)
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found

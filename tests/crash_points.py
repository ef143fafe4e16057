"""Kills a process at each moment that it changes the disk: every sync, name and removal is a point.

The points are counted in a forked child, whose `os` is patched: the product has no hook for it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHANGES = ("fsync", "replace", "rename", "link")
NAMES = ("symlink", "mkdir", "unlink", "rmdir", "truncate", "ftruncate")
"""Changes besides, of which each may leave a state of its own."""
_PART = re.compile(r"\.edge-vc-[0-9a-f]{16}\.part")


@dataclass(frozen=True)
class CrashedRun:
    """How a forked run ended."""

    killed: bool
    points: int
    """How many it passed."""


class CrashStates:
    """What a kill leaves in a folder, kept once for each different state."""

    def __init__(self, root: Path, kept: Path) -> None:
        """Take the folder and an empty one to keep its states in."""
        self.root, self.kept = root, kept
        self._seen: set[str] = set()

    def keep(self) -> None:
        """Copy the folder, unless it was like this before; temporary names do not count."""
        state = tree_hash(self.root)
        if state not in self._seen:
            self._seen.add(state)
            if self.root.exists():
                copied = self.kept / f"{len(self._seen):04d}"
                shutil.copytree(self.root, copied, symlinks=True, copy_function=copy_link)


def copy_link(source: str, target: str) -> str:
    """Copy a file's bytes and times; links in the copy stay links."""
    return shutil.copy2(source, target, follow_symlinks=False)


def tree_hash(root: Path) -> str:
    """Return the sha256 of names, kinds and bytes below a folder."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        name = _PART.sub("part", str(path.relative_to(root)))
        digest.update(f"{name}\0{path.lstat().st_mode}\n".encode(errors="surrogateescape"))
        if path.is_file():
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def run_until(
    point: int | None,
    action: Callable[[], object],
    clock: float = 0.0,
    changes: tuple[str, ...] = CHANGES,
) -> CrashedRun:
    """Run ``action`` in a child that is killed (SIGKILL) just before crash point ``point``.

    None lets it end. ``clock`` is added to the child's time of day, in seconds; ``changes`` are
    the calls that are points.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        code = 1
        try:
            counted = count_changes(changes, killer(point))
            move_clock(clock)
            action()
            os.write(writer, str(counted()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as told:
        said = told.read()
    status = os.waitpid(child, 0)[1]
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed or status == 0, "the action failed in the child"
    return CrashedRun(killed, int(said) if said else point or 0)


def killer(point: int | None) -> Callable[[int], None]:
    """Return what kills this process at a point."""

    def kill(passed: int) -> None:
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return kill


def count_changes(names: tuple[str, ...], before: Callable[[int], None]) -> Callable[[], int]:
    """Call ``before`` with the number of every point of this process, and return the counter."""
    passed, inside = 0, False

    def counting(do: Callable[..., Any]) -> Callable[..., Any]:
        def change(*values: Any, **more: Any) -> Any:
            nonlocal passed, inside
            if not inside:
                inside = True
                try:
                    before(passed)
                finally:
                    inside = False
                passed += 1
            return do(*values, **more)

        return change

    for name in names:
        setattr(os, name, counting(getattr(os, name)))
    return lambda: passed


def move_clock(seconds: float) -> None:
    """Add seconds to the time of day that this process sees."""
    real = time.time
    time.time = lambda: real() + seconds

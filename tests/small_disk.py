"""Disks of 64 kB to write on: nearly full, full, read-only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BLOCK = 4096


@contextmanager
def small_disk(place: Path, size_kb: int = 64) -> Iterator[Path]:
    """Mount a file system in memory; skips the test where that is not allowed."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root rights")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path, left: int = 0) -> None:
    """Write a file that leaves ``left`` blocks free."""
    free = os.statvfs(place).f_bavail
    (place / "filler").write_bytes(bytes(BLOCK * (free - left)))


def make_read_only(place: Path) -> None:
    """Mount it anew, so that nothing can be written."""
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)

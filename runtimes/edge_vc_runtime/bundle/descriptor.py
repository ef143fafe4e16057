"""A bundle's file as it was when opened: one descriptor, regardless of later path changes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from edge_vc_runtime.bundle.manifest import BundleError


class Descriptor:
    """A regular file, open for reading; closed when its last user is gone.

    Reads specify their offset, so that threads can share it, and a file that replaces this one at
    the same path is never read by mistake.
    """

    def __init__(self, path: Path) -> None:
        """Open ``path``; raises `OSError`, and `BundleError` for anything but a regular file."""
        # A pipe without a writer would block here forever.
        self._number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        facts = os.fstat(self._number)
        self.size = facts.st_size
        """Size in bytes when it was opened."""
        if not stat.S_ISREG(facts.st_mode):
            raise BundleError("is not a file")

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes from ``offset``, fewer only at the end of the file."""
        data = os.pread(self._number, size, offset)
        while data and len(data) < size:
            more = os.pread(self._number, size - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def fileno(self) -> int:
        """Return the descriptor's number, for a process that reads the same file."""
        return self._number

    def __del__(self) -> None:
        """Close it, unless `open` failed before there was anything to close."""
        if hasattr(self, "_number"):
            os.close(self._number)

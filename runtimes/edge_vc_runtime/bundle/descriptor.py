"""A bundle's file as it was when it was opened: one descriptor, whatever the path names later."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from edge_vc_runtime.bundle.manifest import BundleError


class Descriptor:
    """A regular file, open for reading; closed with its last user.

    Reads name their offset, so that threads can share it, and a file that replaces this one under
    its path is never read by mistake.
    """

    def __init__(self, path: Path) -> None:
        """Open ``path``; raises `OSError`, and `BundleError` for anything but a regular file."""
        # A pipe without a writer would block here for ever.
        self._number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        facts = os.fstat(self._number)
        self.size = facts.st_size
        """Bytes when it was opened."""
        if not stat.S_ISREG(facts.st_mode):
            raise BundleError("is not a file")

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes from ``offset``, fewer only where the file ends."""
        data = os.pread(self._number, size, offset)
        while data and len(data) < size:
            more = os.pread(self._number, size - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def fileno(self) -> int:
        """Return the descriptor's number, for a process that is to read the same file."""
        return self._number

    def __del__(self) -> None:
        """Close it; `open` may have failed before there was anything to close."""
        if hasattr(self, "_number"):
            os.close(self._number)

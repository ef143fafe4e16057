"""A lock that allows one process at a time in a folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class FolderInUseError(ValueError):
    """Another process works in the folder; a one-line message with the remedy."""


@contextmanager
def only_process(folder: Path) -> Iterator[None]:
    """Lock a folder, created if missing, for the duration of the block.

    The kernel releases the lock when the process ends, however that happens; no file is left
    behind. Raises `FolderInUseError` if another process holds the lock.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUseError(
                f"{folder}: another process works in this folder; wait, or name another"
            ) from error
        yield
    finally:
        if made:
            with suppress(OSError):  # not empty: the block wrote something
                folder.rmdir()
        os.close(descriptor)

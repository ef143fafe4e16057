"""One process at a time in a folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class FolderInUseError(ValueError):
    """Another process works in the folder; one line with the way out."""


@contextmanager
def only_process(folder: Path) -> Iterator[None]:
    """Hold a folder, made if it is missing, for as long as the block runs.

    The kernel lets go of it when the process ends, however that happens; nothing is left behind.
    Raises `FolderInUseError` when another process holds it.
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
            with suppress(OSError):  # it is not empty: something was done
                folder.rmdir()
        os.close(descriptor)

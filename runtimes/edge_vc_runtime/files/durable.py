"""Durable writes and renames that survive a power failure."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_NO_SYNC = (errno.EINVAL, errno.ENOTSUP)
"""Errors of a file system that cannot sync a folder."""


def sync_file(path: Path) -> None:
    """Wait until a file's content is on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Wait until a folder's names are on disk, if the file system supports this."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def sync_tree(path: Path) -> None:
    """Wait until everything in a folder is on disk."""
    for found in sorted(path.rglob("*")):
        if found.is_dir():
            sync_folder(found)
        elif not found.is_symlink():
            sync_file(found)
    sync_folder(path)


def rename(source: Path, target: Path) -> None:
    """Rename a file or folder atomically, and wait until that is on disk.

    An existing file of that name is replaced; an existing folder only if it is empty.
    """
    os.replace(source, target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)

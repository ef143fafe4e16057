"""Bytes and names that a pulled plug does not take away."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_NO_SYNC = (errno.EINVAL, errno.ENOTSUP)
"""What a file system says that cannot sync a folder."""


def sync_file(path: Path) -> None:
    """Wait until a file's bytes are on the medium."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Wait until a folder's names are on the medium, where the file system can."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def sync_tree(path: Path) -> None:
    """Wait until everything in a folder is on the medium."""
    for found in sorted(path.rglob("*")):
        if found.is_dir():
            sync_folder(found)
        elif not found.is_symlink():
            sync_file(found)
    sync_folder(path)


def rename(source: Path, target: Path) -> None:
    """Give a file or folder another name in one step, and wait until that is on the medium.

    A file under that name is replaced; of folders, only an empty one is.
    """
    os.replace(source, target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)

"""Folders that are created atomically, and scratch folders that are removed even after a kill."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge_vc_runtime.files.durable import rename, sync_folder, sync_tree
from edge_vc_runtime.files.error import PathLike, named
from edge_vc_runtime.files.part_file import sweep


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Yield a folder in ``parent`` that only its owner may enter; it is removed at the end.

    One left behind by a killed process is removed by the next one that writes in ``parent``.
    """
    sweep(os.path.abspath(parent))
    path = parent / f".edge-vc-{secrets.token_hex(8)}.part"
    descriptor = -1
    try:
        path.mkdir(0o700)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with suppress(OSError):  # a file system without locks: no sweeping there
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield path
    finally:
        if descriptor >= 0:
            os.close(descriptor)
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def new_folder(path: PathLike) -> Iterator[Path]:
    """Yield a folder to fill; it is renamed to ``path`` when the block ends, unless it fails.

    An existing folder has to be empty, and is itself filled: it may be a mounted disk. Raises
    `OutputError`.
    """
    place = Path(os.path.realpath(path))
    with named(path, place):
        if place.is_dir():
            yield from _filled(place)
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(place.parent) as scratch, named(path, scratch):
            made = scratch / "made"
            made.mkdir()
            yield made
            sync_tree(made)
            rename(made, place)


def _filled(place: Path) -> Iterator[Path]:
    try:
        yield place
        sync_folder(place)
    except BaseException:
        for found in place.iterdir():
            if found.is_dir() and not found.is_symlink():
                shutil.rmtree(found, ignore_errors=True)
            else:
                found.unlink(missing_ok=True)
        raise

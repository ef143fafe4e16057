"""The only way in which outputs are written: atomically.

The bytes are written to a `PartFile`, flushed to disk, and renamed in one step; the folder is then
synced as well. A link is followed, and its target is replaced. A device or a pipe is written to
directly, and never replaced by a file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from edge_vc_runtime.files.error import OutputError, PathLike, named
from edge_vc_runtime.files.part_file import PartFile, write_all

_OWN_STREAMS = ("/dev/fd/", "/dev/stdout", "/dev/stderr", "/dev/stdin", "/proc/")


def write_whole(path: PathLike, data: bytes | str, mode: int = 0o666) -> Path:
    """Write ``data``, text as UTF-8, and return the path; raises `OutputError`."""
    content = data.encode() if isinstance(data, str) else data
    if is_stream(path):
        _write_into(path, content)
        return Path(path)
    with replacing(path, mode) as file:
        file.write(content)
    return Path(path)


@contextmanager
def replacing(path: PathLike, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Yield a file that replaces ``path`` when the block ends.

    After an error in the block, an existing file is unchanged. Raises `OutputError`.
    """
    with replacing_path(path, mode) as part, open(part, "r+b") as file:
        yield file


@contextmanager
def replacing_path(path: PathLike, mode: int = 0o666) -> Iterator[Path]:
    """Like `replacing`, but yield the path of an empty file, for code that writes to a path."""
    place = final_place(path)
    part = PartFile(place, mode)
    try:
        with named(path, part, place, place.parent):
            part.open()
            yield part.path
            part.commit()
    finally:
        part.remove()


def final_place(path: PathLike) -> Path:
    """Return the file that an output replaces, following links.

    Raises `OutputError` for anything that a file must not replace: a folder, a device, a pipe.
    """
    with named(path):
        try:
            mode = os.stat(path).st_mode
        except FileNotFoundError:
            mode = stat.S_IFREG
        if not stat.S_ISREG(mode) or is_stream(path):
            raise OutputError.refused(path, f"is {kind_of(mode)}; name a file")
        return Path(os.path.realpath(path))


def is_stream(path: PathLike) -> bool:
    """Return whether ``path`` is a character device, a pipe or one of this process's own files."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    own = os.path.abspath(path).startswith(_OWN_STREAMS)
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode) or (own and stat.S_ISREG(mode))


def kind_of(mode: int) -> str:
    """Return the kind of file denoted by a mode, as words."""
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a disk",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
    }
    return kinds.get(stat.S_IFMT(mode), "not a file that can be replaced")


def _write_into(path: PathLike, data: bytes) -> None:
    with named(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            write_all(descriptor, data)
        finally:
            os.close(descriptor)

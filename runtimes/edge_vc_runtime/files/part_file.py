"""The temporary file that is written beside an output until it is complete.

Its name is random and created exclusively, so that no other process, container or host on the same
disk uses it, and no existing link is followed. Its writer holds a lock on it: leftovers of a killed
process are no longer locked, and the next writer in that folder removes them.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
from contextlib import suppress
from functools import cache
from pathlib import Path

from edge_vc_runtime.files.durable import rename, sync_file

_NAME = re.compile(r"\.edge-vc-[0-9a-f]{16}\.part")
_TRIES = 100
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class PartFile:
    """A file in the folder of ``place``; `commit` renames it to that, `remove` deletes it.

    ``mode`` is that of a new output, minus the user's umask; a replaced file keeps its own.
    Opening is a separate step: a signal may occur during it, and `remove` then knows what to
    delete. `open`, `write` and `commit` raise `OSError`.
    """

    def __init__(self, place: Path, mode: int = 0o666) -> None:
        self.place = place
        self.path = place
        """The file, once it is open."""
        self.descriptor = -1
        self._mode = mode

    def __fspath__(self) -> str:
        return str(self.path)

    def open(self) -> PartFile:
        """Create the file, empty and locked; return this object."""
        folder = self.place.parent
        sweep(os.path.abspath(folder))
        for _ in range(_TRIES):
            self.path = folder / f".edge-vc-{secrets.token_hex(8)}.part"
            try:
                self.descriptor = os.open(self.path, _CREATE, self._mode)
            except FileExistsError:
                continue
            with suppress(OSError):  # no locks there: leftovers cannot be detected or removed
                fcntl.flock(self.descriptor, fcntl.LOCK_EX)
            if os.fstat(self.descriptor).st_nlink:
                self._take_mode()
                return self
            self._close()  # swept between its creation and its lock
        raise FileExistsError(errno.EEXIST, "no free name for a temporary file", str(folder))

    def write(self, data: bytes) -> None:
        """Append all of ``data``."""
        write_all(self.descriptor, data)

    def commit(self) -> None:
        """Flush the bytes to disk, then replace the output atomically."""
        sync_file(self.path)
        rename(self.path, self.place)

    def remove(self) -> None:
        """Delete the file unless it was committed, and close it; may be called repeatedly."""
        if self.path != self.place:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
            self.path = self.place
        self._close()

    def _close(self) -> None:
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)

    def _take_mode(self) -> None:
        """Keep the permissions of a replaced output, and its owner if run as root."""
        if not self._mode & 0o077:
            return
        with suppress(OSError):
            found = self.place.stat()
            os.fchmod(self.descriptor, stat.S_IMODE(found.st_mode) & 0o777)
            os.fchown(self.descriptor, found.st_uid, found.st_gid)


def is_part(name: str) -> bool:
    """Return whether a file name is that of an unfinished output."""
    return _NAME.fullmatch(name) is not None


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data``; raises `OSError`."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


@cache
def sweep(folder: str) -> None:
    """Remove leftovers of killed processes in a folder, once per process and folder."""
    try:
        names = [name for name in os.listdir(folder) if is_part(name)]
    except OSError:
        return
    for name in names:
        with suppress(OSError):
            _remove_unlocked(os.path.join(folder, name))


def _remove_unlocked(path: str) -> None:
    descriptor = os.open(path, _OPEN)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path) if stat.S_ISDIR(mode) else os.unlink(path)
    finally:
        os.close(descriptor)

"""All changes of the installation on disk, ordered so that they survive a power failure."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_vc_runtime.install.error import InstallError


class Disk:
    """The changes made by an installation; tests subclass it to stop before any of them."""

    def before(self, change: str) -> None:
        """Do nothing; called before each change."""

    def make_folder(self, path: Path) -> None:
        """Create a folder and its parents unless they exist; others may read them."""
        with _told(path):
            self.before(f"make {path.name}")
            for folder in reversed([path, *path.parents]):
                if not folder.is_dir():
                    folder.mkdir()
                    folder.chmod(0o755)

    def make_temporary(self, folder: Path, prefix: str) -> Path:
        """Create a new folder in ``folder`` that others may read."""
        with _told(folder):
            self.before(f"make {prefix}")
            made = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
            made.chmod(0o755)
        return made

    def write(self, path: Path, chunks: Iterable[bytes]) -> None:
        """Write a new file and wait until its content is on disk."""
        with _told(path):
            self.before(f"write {path.name}")
            with path.open("xb") as file:
                os.fchmod(file.fileno(), 0o644)  # readable for the service, whatever the umask
                for chunk in chunks:
                    self.write_chunk(file.fileno(), chunk)
                self.before(f"sync {path.name}")
                os.fsync(file.fileno())

    def write_chunk(self, descriptor: int, chunk: bytes) -> None:
        """Write all of one chunk."""
        view = memoryview(chunk)
        while view:
            view = view[os.write(descriptor, view) :]

    def write_over(self, path: Path, data: bytes) -> None:
        """Replace a file by ``data`` atomically: a reader sees either the old bytes or the new."""
        beside = path.with_name(f".in-{path.name}.{secrets.token_hex(8)}")
        self.write(beside, [data])
        self.rename(beside, path)

    def link(self, path: Path, target: str) -> None:
        """Make ``path`` a symbolic link to ``target`` atomically, replacing an existing one."""
        beside = path.with_name(f".in-{path.name}.{secrets.token_hex(8)}")
        with _told(beside):
            self.before(f"link {path.name}")
            beside.symlink_to(target)
        self.rename(beside, path)

    def rename(self, source: Path, target: Path) -> None:
        """Rename within the installation and wait until the names are on disk."""
        with _told(target):
            self.before(f"rename {target.name}")
            os.replace(source, target)
        self.sync_folder(target.parent)

    def sync_folder(self, folder: Path) -> None:
        """Wait until a folder's names are on disk."""
        with _told(folder):
            self.before(f"sync {folder.name}")
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def remove(self, path: Path) -> None:
        """Remove a file, a link or a folder with its content, if it exists."""
        with _told(path):
            self.before(f"remove {path.name}")
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def free_bytes(self, folder: Path) -> int:
        """Return the free bytes on a folder's file system."""
        with _told(folder):
            facts = os.statvfs(folder)
        return facts.f_bavail * facts.f_frsize


@contextmanager
def only_installer(path: Path) -> Iterator[None]:
    """Hold the lock of an installation; raises `InstallError` if another process holds it.

    The kernel releases it when the process ends, however that happens.
    """
    with _told(path), path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InstallError(f"{path.parent}: another installer is running there") from error
        yield


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Convert the operating system's errors to one line with the path."""
    try:
        yield
    except OSError as error:
        place = error.filename or path
        raise InstallError(f"{place}: {error.strerror or error}") from error

"""The FAT partition of an image, edited in place with mtools: no mount, no root."""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.flash.image.error import CardError
from edge_vc_boards.flash.image.host_tool import IMAGE, reason, run_on_image
from edge_vc_boards.flash.image.partition_table import Partition

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_TEXT_LIMIT = 1 << 20  # bytes of a file read as text


@dataclass(frozen=True)
class FatPartition:
    """The files in the root folder of one FAT partition."""

    image: Path
    partition: Partition

    @property
    def _drive(self) -> str:
        return f"{IMAGE}@@{self.partition.start}"

    def names(self, folder: str = "") -> frozenset[str]:
        """Return the names in the root folder or in a folder there, in lower case.

        Raises `CardError` if it is not a FAT file system.
        """
        done = run_on_image(self.image, ["mdir", "-i", self._drive, "-a", "-b", f"::/{folder}"])
        if done.returncode and b"File not found" not in done.stderr:
            raise CardError(f"its boot partition is no FAT file system: {reason(done, self.image)}")
        lines = done.stdout.decode(errors="replace").splitlines()
        return frozenset(line.strip(":/").rpartition("/")[2].lower() for line in lines)

    def read(self, name: str) -> bytes:
        """Return a file's bytes; raises `CardError`."""
        done = run_on_image(self.image, ["mcopy", "-i", self._drive, f"::/{_checked(name)}", "-"])
        if done.returncode:
            raise CardError(f"{name} of its boot partition: {reason(done, self.image)}")
        return done.stdout

    def read_text(self, name: str) -> str:
        """Return the content of a small text file; raises `CardError` if it is not one."""
        data = self.read(name)
        try:
            if len(data) <= _TEXT_LIMIT:
                return data.decode()
        except UnicodeDecodeError:
            pass
        raise CardError(f"{name} of its boot partition is not a text of at most 1 MB")

    def free(self) -> int:
        """Return the free space in bytes."""
        done = run_on_image(self.image, ["mdir", "-i", self._drive, "-a", "::/"])
        found = re.search(r"([0-9 ]+) bytes free", done.stdout.decode(errors="replace"))
        if found is None:
            raise CardError(f"free space of its boot partition: {reason(done, self.image)}")
        return int(found[1].replace(" ", ""))

    def write(self, files: dict[str, Path | bytes]) -> None:
        """Write files to the root folder, replacing those of the same name.

        Free space is checked first. Timestamps are fixed and files are written in the order of
        their names, so that the same files give the same bytes. Raises `CardError`.
        """
        self._check_space(files)
        with tempfile.TemporaryDirectory(prefix="edge-vc-card-") as folder:
            for name in sorted(files):
                data, source = files[name], Path(folder) / _checked(name)
                if isinstance(data, bytes):
                    source.write_bytes(data)
                else:
                    source.symlink_to(data.resolve())
                done = run_on_image(
                    self.image, ["mcopy", "-o", "-i", self._drive, str(source), f"::/{name}"]
                )
                if done.returncode:
                    raise CardError(f"{name} could not be written: {reason(done, self.image)}")

    def _check_space(self, files: dict[str, Path | bytes]) -> None:
        # A cluster is at most 32 KiB in practice; names take space in the folder's own clusters.
        there = self.names()
        needed = 0
        for name, data in files.items():
            size = len(data) if isinstance(data, bytes) else data.stat().st_size
            old = len(self.read(name)) if name in there else 0
            needed += max(0, size - old) + 32768
        free = self.free()
        if needed > free:
            raise CardError(
                f"its boot partition has {free / 1e6:.1f} MB free and {needed / 1e6:.1f} MB are "
                "needed: take a newer image (512 MB there since 2023) or flash over SSH (--to)"
            )

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every file of the partition by path; raises `CardError`.

        Files that share clusters, in a damaged or hostile FAT, could otherwise fill the disk.
        """
        listing = run_on_image(self.image, ["mdir", "-/", "-a", "-i", self._drive, "::/"]).stdout
        total = re.findall(r"files? +([0-9 ]+) bytes", listing.decode(errors="replace"))
        if total and int(total[-1].replace(" ", "")) > self.partition.size:
            raise CardError("its boot partition is damaged: its files are larger than itself")
        with tempfile.TemporaryDirectory(prefix="edge-vc-card-") as name:
            folder = Path(name)
            done = run_on_image(
                self.image, ["mcopy", "-s", "-n", "-Q", "-i", self._drive, "::/*", name]
            )
            if done.returncode and self.names():
                raise CardError(f"its boot partition: {reason(done, self.image)}")
            return {
                str(path.relative_to(folder)).lower(): _digest(path)
                for path in sorted(folder.rglob("*"))
                if path.is_file() and not path.is_symlink()
            }


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise CardError(f"{name!r:.60} is not a valid file name on a card")
    return name


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_digest(data: Path | bytes) -> str:
    """Return the SHA-256 of the data to write."""
    return hashlib.sha256(data).hexdigest() if isinstance(data, bytes) else _digest(data)

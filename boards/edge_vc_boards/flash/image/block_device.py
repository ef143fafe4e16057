"""A card in a reader: written only if it is given, removable, not in use, and confirmed."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.flash.image.error import CardError
from edge_vc_boards.flash.image.image_copy import CHUNK, forget
from edge_vc_boards.flash.image.partition_table import SECTOR


@dataclass(frozen=True)
class KernelFiles:
    """Where the kernel lists its devices."""

    sys: Path = Path("/sys")
    mountinfo: Path = Path("/proc/self/mountinfo")
    swaps: Path = Path("/proc/swaps")
    is_block: Callable[[Path], bool] = lambda path: stat.S_ISBLK(path.stat().st_mode)


@dataclass(frozen=True)
class CardDevice:
    """A removable disk that is not in use."""

    path: Path
    size: int
    """Bytes."""
    model: str

    @property
    def name(self) -> str:
        """What the user types to confirm it."""
        return str(self.path)


def check_device(path: Path, needed: int, machine: KernelFiles | None = None) -> CardDevice:
    """Return the device at ``path``.

    Raises `CardError` for anything but a whole removable disk of at least ``needed`` bytes, and if
    it is in use: mounted, used as swap, or part of a volume.
    """
    machine = machine or KernelFiles()
    if not re.fullmatch(r"/dev/[a-z][a-z0-9]{1,30}", str(path)):
        raise CardError(f"--device {str(path)!r:.60}: has to be a whole disk, such as /dev/sdX")
    try:
        if path.is_symlink() or not machine.is_block(path):
            raise CardError(f"--device {path}: is not a block device")
    except OSError as error:
        raise CardError(f"--device {path}: {error.strerror or error}") from error
    folder = machine.sys / "block" / path.name
    if not folder.is_dir():
        raise CardError(f"--device {path}: is a partition or no disk; name the whole disk")
    if not _removable(folder):
        raise CardError(f"--device {path}: is not removable and is never written")
    _check_unused(path, folder, machine)
    size = int(_text(folder / "size") or 0) * SECTOR
    if size < needed:
        raise CardError(
            f"--device {path}: has {size / 1e9:.1f} GB, the image {needed / 1e9:.1f} GB"
        )
    model = _text(folder / "device" / "model") or _text(folder / "device" / "name")
    return CardDevice(path, size, "".join(filter(str.isprintable, model))[:60])


def _removable(folder: Path) -> bool:
    # Readers on the SD bus report 0 for a removable card; its type distinguishes it from soldered
    # memory (MMC).
    return _text(folder / "removable") == "1" or _text(folder / "device" / "type") == "SD"


def _check_unused(path: Path, folder: Path, machine: KernelFiles) -> None:
    parts = [part.parent for part in folder.glob(f"{path.name}*/partition")]
    numbers = {_text(each / "dev") for each in (folder, *parts)}
    for line in machine.mountinfo.read_text(errors="replace").splitlines():
        fields = line.split()
        if len(fields) > 4 and fields[2] in numbers:
            raise CardError(f"--device {path}: is mounted on {fields[4]:.100}; unmount it first")
    names = {path.name, *(part.name for part in parts)}
    for line in machine.swaps.read_text(errors="replace").splitlines():
        if line.split(maxsplit=1)[:1] and Path(line.split()[0]).name in names:
            raise CardError(f"--device {path}: is used as swap")
    for each in (folder, *parts):
        if any((each / "holders").glob("*")):
            raise CardError(f"--device {path}: is part of a volume or an encrypted disk")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def write_device(image: Path, device: CardDevice, confirm: Callable[[str], str]) -> str:
    """Write an image to a device and read it back; return its SHA-256.

    ``confirm`` shows a question and returns what was typed; nothing is written unless that is the
    device's path. Raises `CardError`.
    """
    question = (
        f"Everything on {device.name} ({device.model or 'unnamed'}, {device.size / 1e9:.1f} GB) "
        f"will be lost. Type {device.name} to write it"
    )
    if confirm(question).strip() != device.name:
        raise CardError(f"--device {device.name}: not confirmed, nothing was written")
    digest = hashlib.sha256()
    try:
        # The kernel refuses exclusive access to a disk that was mounted in the meantime.
        descriptor = os.open(device.path, os.O_RDWR | os.O_EXCL)
        with os.fdopen(descriptor, "r+b", buffering=0) as target, image.open("rb") as source:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                _write_all(target.write, chunk)
            forget(target.fileno())
            target.seek(0)
            found = _read_back(target.read, image.stat().st_size)
    except OSError as error:
        busy = "is in use" if error.errno == errno.EBUSY else error.strerror or str(error)
        raise CardError(f"--device {device.name}: {busy}") from error
    if found != digest.hexdigest():
        raise CardError(f"--device {device.name}: reads back differently than written; a bad card?")
    return found


def _write_all(write: Callable[[bytes], int | None], data: bytes) -> None:
    while data:
        data = data[write(data) or 0 :]


def _read_back(read: Callable[[int], bytes], size: int) -> str:
    digest = hashlib.sha256()
    while size and (chunk := read(min(CHUNK, size))):
        digest.update(chunk)
        size -= len(chunk)
    return digest.hexdigest()

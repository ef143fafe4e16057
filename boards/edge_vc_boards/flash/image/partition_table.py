"""The partitions of an image: MBR and GPT, read with limits since images are untrusted."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from edge_vc_boards.flash.image.error import CardError

SECTOR = 512  # bytes
_FAT_TYPES = {0x01, 0x04, 0x06, 0x0B, 0x0C, 0x0E, 0xEF}
_LINUX_TYPES = {0x83}
_PROTECTIVE = 0xEE
_EFI_SYSTEM = bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b")
_BASIC_DATA = bytes.fromhex("a2a0d0ebe5b9334487c068b6b72699c7")
_LINUX_DATA = bytes.fromhex("af3dc60f838472478e793d69d8477de4")
_LINUX_ROOT_ARM64 = bytes.fromhex("45b021b9f01dc341af444c6f280d3fae")
_GPT_ENTRIES = 128  # more are not read


@dataclass(frozen=True)
class Partition:
    """One partition."""

    number: int
    start: int
    """Offset in bytes from the beginning of the image."""
    size: int
    """Bytes."""
    kind: str
    """``fat``, ``linux`` or ``other``, according to the table."""


def read_partitions(image: BinaryIO) -> tuple[Partition, ...]:
    """Return the partitions of an open image, all within it and not overlapping.

    Raises `CardError` for an image without a partition table, or with one that does not fit it.
    """
    size = image.seek(0, 2)
    image.seek(0)
    first = image.read(SECTOR)
    if len(first) < SECTOR or first[510:] != b"\x55\xaa":
        raise CardError("has no partition table; a whole card's image is needed (.img or .img.xz)")
    types = [first[446 + 16 * index + 4] for index in range(4)]
    found = _gpt(image, size) if _PROTECTIVE in types else _mbr(first)
    if not found:
        raise CardError("has an empty partition table")
    _check_places(found, size)
    return found


def _mbr(sector: bytes) -> tuple[Partition, ...]:
    found = []
    for index in range(4):
        entry = sector[446 + 16 * index : 462 + 16 * index]
        start, count = struct.unpack_from("<II", entry, 8)
        if entry[4] == 0 or count == 0:
            continue
        kind = "fat" if entry[4] in _FAT_TYPES else "linux" if entry[4] in _LINUX_TYPES else "other"
        found.append(Partition(index + 1, start * SECTOR, count * SECTOR, kind))
    return tuple(found)


def _gpt(image: BinaryIO, size: int) -> tuple[Partition, ...]:
    image.seek(SECTOR)
    header = image.read(SECTOR)
    if len(header) < SECTOR or header[:8] != b"EFI PART":
        raise CardError("its partition table is announced as GPT and is none")
    length, checksum = struct.unpack_from("<I", header, 12)[0], header[16:20]
    if not 92 <= length <= SECTOR:
        raise CardError(f"its GPT header has {length} bytes, it has to be 92 to {SECTOR}")
    bare = header[:16] + bytes(4) + header[20:length]
    if zlib.crc32(bare) != int.from_bytes(checksum, "little"):
        raise CardError("its GPT header is damaged (checksum)")
    table, count, width, table_sum = struct.unpack_from("<QIII", header, 72)
    if not (0 < count <= _GPT_ENTRIES and width == 128 and table * SECTOR + count * width <= size):
        raise CardError(
            f"its GPT has {count} entries of {width} bytes, at most 128 of 128 are read"
        )
    image.seek(table * SECTOR)
    entries = image.read(count * width)
    if zlib.crc32(entries) != table_sum:
        raise CardError("its GPT is damaged (checksum of the entries)")
    return tuple(_gpt_entries(entries))


def _gpt_entries(entries: bytes) -> list[Partition]:
    found = []
    for index in range(len(entries) // 128):
        entry = entries[128 * index : 128 * index + 128]
        first, last = struct.unpack_from("<QQ", entry, 32)
        if entry[:16] == bytes(16):
            continue
        if last < first:
            raise CardError(f"its partition {index + 1} ends before it begins")
        fat = entry[:16] in (_EFI_SYSTEM, _BASIC_DATA)
        linux = entry[:16] in (_LINUX_DATA, _LINUX_ROOT_ARM64)
        kind = "fat" if fat else "linux" if linux else "other"
        found.append(Partition(index + 1, first * SECTOR, (last - first + 1) * SECTOR, kind))
    return found


def _check_places(partitions: tuple[Partition, ...], size: int) -> None:
    end = SECTOR
    for each in sorted(partitions, key=lambda partition: partition.start):
        if each.start < end:
            raise CardError(f"its partition {each.number} lies over another one or the table")
        end = each.start + each.size
        if end > size:
            raise CardError(
                f"its partition {each.number} ends at byte {end}, the image at {size}: truncated?"
            )

"""Copies images: keeps sparse files sparse, unpacks ``.xz`` with limits, reads everything back."""

from __future__ import annotations

import errno
import hashlib
import lzma
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from edge_vc_boards.flash.image.error import CardError
from edge_vc_boards.flash.image.partition_table import Partition

CHUNK = 1 << 20  # bytes
LIMIT = 64 << 30
"""Largest image, in bytes: a compressed file of kilobytes can hold terabytes of zeros."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_XZ = b"\xfd7zXZ\x00"
_XZ_MEMORY = 256 << 20  # bytes


@dataclass(frozen=True)
class ImageDigest:
    """The hashes and size of an image that was read back."""

    sha256: str
    outside: str
    """SHA-256 of everything but one partition."""
    size: int
    """Bytes."""


def copy_image(source: Path, target: Path, limit: int = LIMIT) -> str:
    """Copy an image, unpacking ``.xz``; return the SHA-256 of the data to be written.

    Raises `CardError` for a source that is truncated, damaged or too large, and for a full disk.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with source.open("rb") as reader, target.open("wb") as writer:
            for chunk in _chunks(reader, source):
                size += len(chunk)
                if size > limit:
                    raise CardError(f"{source}: is larger than {limit >> 20} MiB unpacked")
                digest.update(chunk)
                if chunk.count(0) == len(chunk):
                    writer.seek(len(chunk), os.SEEK_CUR)
                else:
                    writer.write(chunk)
            writer.truncate(size)
            writer.flush()
            os.fsync(writer.fileno())
    except OSError as error:
        place = target.parent if error.errno in _FULL else source
        raise CardError(f"{place}: {error.strerror or error}") from error
    return digest.hexdigest()


def _chunks(reader: BinaryIO, source: Path) -> Iterator[bytes]:
    first = reader.read(len(_XZ))
    reader.seek(0)
    if first != _XZ:
        while chunk := reader.read(CHUNK):
            yield chunk
        return
    try:
        yield from _unpacked(reader)
    except (lzma.LZMAError, EOFError) as error:
        raise CardError(f"{source}: is not a complete .xz file ({error})") from error


def _unpacked(reader: BinaryIO) -> Iterator[bytes]:
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
    data = b""
    while True:
        if unpacker.eof:  # there may be several streams with zeros in between
            data = (unpacker.unused_data + reader.read(CHUNK)).lstrip(b"\x00")
            if not data:
                return
            unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        elif unpacker.needs_input:
            data = reader.read(CHUNK)
            if not data:
                raise EOFError("truncated")
        chunk = unpacker.decompress(data, CHUNK)
        data = b""
        if chunk:
            yield chunk


def digest_image(path: Path, partition: Partition) -> ImageDigest:
    """Read an image back from disk and hash it, as a whole and without ``partition``."""
    whole, outside, place = hashlib.sha256(), hashlib.sha256(), 0
    begin, end = partition.start, partition.start + partition.size
    with path.open("rb") as file:
        forget(file.fileno())
        while chunk := file.read(CHUNK):
            whole.update(chunk)
            outside.update(chunk[: max(0, begin - place)])
            outside.update(chunk[max(0, end - place) :])
            place += len(chunk)
    return ImageDigest(whole.hexdigest(), outside.hexdigest(), place)


def forget(descriptor: int) -> None:
    """Drop a file from the page cache, so that it is read from the disk."""
    os.fsync(descriptor)
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

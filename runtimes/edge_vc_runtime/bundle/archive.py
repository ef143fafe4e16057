"""The archive of a bundle: a plain ustar file in which every byte is checked.

The format is parsed here: only regular files with flat names are accepted, padding has to be zero
and nothing is written to disk. `tarfile` would support links, long names and sparse maps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from edge_vc_runtime.bundle.descriptor import Descriptor
from edge_vc_runtime.bundle.entries import FILE_LIMIT, FILE_NAME
from edge_vc_runtime.bundle.manifest import (
    MANIFEST_LIMIT,
    MANIFEST_NAME,
    SIGNATURE_NAME,
    BundleError,
)

BLOCK = 512
RECORD = 20 * BLOCK
"""Bytes; archives are padded to whole records, so that every truncation is detected."""

_CHUNK = 1 << 18
_MEMBERS = 64
_LIMITS = {MANIFEST_NAME: MANIFEST_LIMIT, SIGNATURE_NAME: 1 << 16}
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"5": "a folder",
    b"6": "a pipe",
}


@dataclass(frozen=True)
class Member:
    """Offset and size of one file in the archive, in bytes."""

    name: str
    offset: int
    size: int


def walk(file: Descriptor) -> dict[str, Member]:
    """Return the members of an archive, in order.

    Raises `BundleError` for anything that a bundle must not contain.
    """
    members: dict[str, Member] = {}
    offset = 0
    while any(header := _header(file, offset, members)):
        member = _parse(header, offset)
        _check_place(member, members)
        offset = _check_extent(file, member)
        members[member.name] = member
    if not members:
        raise BundleError("is an empty archive, not a bundle")
    _check_end(file, offset)
    return members


def chunks(file: Descriptor, member: Member) -> Iterator[bytes]:
    """Yield a member's bytes in chunks."""
    yield from _span(file, member.offset, member.size)


def _header(file: Descriptor, offset: int, members: dict[str, Member]) -> bytes:
    header = file.read_at(offset, BLOCK)
    if len(header) < BLOCK:
        name = next(reversed(members), None)
        raise BundleError(f"truncated after {name}" if name else "is shorter than any bundle")
    return header


def _parse(header: bytes, offset: int) -> Member:
    damaged = f"damaged header at byte {offset}" if offset else "is not a bundle (no ustar archive)"
    if header[257:265] != b"ustar\x0000":
        raise BundleError(damaged)
    unsummed = header[:148] + b" " * 8 + header[156:]
    if header[148:156] != b"%06o\0 " % sum(unsummed):
        raise BundleError(f"damaged header at byte {offset}")
    prefix, stem = header[345:500].rstrip(b"\0"), header[:100].rstrip(b"\0")
    name = (prefix + b"/" + stem if prefix else stem).decode("ascii", "backslashreplace")
    kind = header[156:157]
    if kind not in (b"0", b"\0"):
        raise BundleError(f"{name!r:.120} is {_KINDS.get(kind, 'a special entry')}, not a file")
    if not re.fullmatch(FILE_NAME, name):
        raise BundleError(f"{name!r:.120} is not a plain file name; folders are not allowed")
    digits = header[124:136].rstrip(b"\0 ")
    if not re.fullmatch(rb"[0-7]+", digits):
        raise BundleError(f"{name}: has no readable size")
    return Member(name, offset + BLOCK, int(digits, 8))


def _check_place(member: Member, members: dict[str, Member]) -> None:
    name = member.name
    if not members and name != MANIFEST_NAME:
        raise BundleError(f"begins with {name!r}, a bundle begins with {MANIFEST_NAME}")
    if name in members:
        raise BundleError(f"{name!r} is there twice")
    if name == SIGNATURE_NAME and len(members) != 1:
        raise BundleError(f"{name} has to follow {MANIFEST_NAME}")
    if len(members) >= _MEMBERS:
        raise BundleError(f"holds more than {_MEMBERS} files")


def _check_extent(file: Descriptor, member: Member) -> int:
    """Check that a member is complete and its padding zero; return the next header's offset."""
    limit = _LIMITS.get(member.name, FILE_LIMIT)
    if member.size > limit:
        raise BundleError(f"{member.name}: {member.size} bytes, at most {limit} are allowed")
    end = member.offset + member.size
    following = end + -end % BLOCK
    if following > file.size:
        there = file.size - member.offset
        raise BundleError(f"truncated in {member.name} ({there} of {member.size} bytes)")
    _check_zeros(file, end, following)
    return following


def _check_end(file: Descriptor, offset: int) -> None:
    """Check that two zero blocks end the archive and zeros fill its last record."""
    end = offset + 2 * BLOCK
    end += -end % RECORD
    if file.size < end:
        raise BundleError(f"truncated at its end ({file.size} of {end} bytes)")
    if file.size > end:
        raise BundleError(f"{file.size - end} bytes after its end")
    _check_zeros(file, offset, end)


def _check_zeros(file: Descriptor, start: int, end: int) -> None:
    if any(any(chunk) for chunk in _span(file, start, end - start)):
        raise BundleError(f"non-zero padding after byte {start}")


def _span(file: Descriptor, offset: int, size: int) -> Iterator[bytes]:
    end = offset + size
    while offset < end:
        chunk = file.read_at(offset, min(end - offset, _CHUNK))
        if not chunk:
            raise BundleError("became shorter while it was read")
        offset += len(chunk)
        yield chunk

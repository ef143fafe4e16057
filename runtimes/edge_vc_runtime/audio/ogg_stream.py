"""The number of an Ogg stream: libsndfile draws one, so that no two files are the same.

Every page carries it under a checksum (RFC 3533).
"""

from __future__ import annotations

import zlib
from typing import BinaryIO

NUMBER = 1
"""What every stream that is written here is numbered."""
_HEAD = 27  # bytes of a page before its list of segments
_NUMBER_AT, _CHECKSUM_AT = 14, 22
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def number_stream(file: BinaryIO, number: int = NUMBER) -> None:
    """Number every page of an Ogg file in place, from its beginning; what is no page ends it."""
    at = 0
    while True:
        file.seek(at)
        head = file.read(_HEAD)
        if len(head) < _HEAD or not head.startswith(b"OggS"):
            return
        sizes = file.read(head[-1])
        page = bytearray(head + sizes + file.read(sum(sizes)))
        page[_NUMBER_AT : _NUMBER_AT + 4] = number.to_bytes(4, "little")
        page[_CHECKSUM_AT : _CHECKSUM_AT + 4] = bytes(4)
        page[_CHECKSUM_AT : _CHECKSUM_AT + 4] = _checksum(page).to_bytes(4, "little")
        file.seek(at)
        file.write(page[:_HEAD])
        at += len(page)


def _checksum(page: bytes | bytearray) -> int:
    """Return Ogg's CRC: zlib's polynomial, the bits the other way round, no inversions."""
    mirrored = zlib.crc32(page.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)

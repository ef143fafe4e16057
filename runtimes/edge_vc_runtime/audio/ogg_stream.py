"""The serial number of an Ogg stream: libsndfile's is random, so no two files are identical.

Every page contains it and is protected by a checksum (RFC 3533).
"""

from __future__ import annotations

import zlib
from typing import BinaryIO

NUMBER = 1
"""Serial number of every stream written here."""
_HEAD = 27  # bytes of a page before its segment table
_NUMBER_AT, _CHECKSUM_AT = 14, 22
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def number_stream(file: BinaryIO, number: int = NUMBER) -> None:
    """Set the serial number of every page of an Ogg file in place, up to the first non-page."""
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
    """Return Ogg's CRC: zlib's polynomial with reversed bit order and no inversions."""
    mirrored = zlib.crc32(page.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)

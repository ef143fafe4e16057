"""CAF files of unspecified length, as written to pipes, which libsndfile rejects."""

from __future__ import annotations

import io
from pathlib import Path

_MARK = b"caff"
_OPEN = b"\xff" * 8
_MAX_CHUNKS = 4096


class PatchedFile(io.RawIOBase):
    """A file in which some bytes are replaced on reading."""

    def __init__(self, path: Path, at: int, patch: bytes) -> None:
        """Open the file; ``patch`` replaces the bytes from offset ``at``."""
        self._file = path.open("rb")
        self._at, self._patch = at, patch

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a byte offset."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the offset of the next byte to read."""
        return self._file.tell()

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read into ``buffer``; return the number of bytes."""
        start = self._file.tell()
        count = self._file.readinto(buffer)
        for place, byte in enumerate(self._patch, self._at - start):
            if 0 <= place < count:
                buffer[place : place + 1] = bytes([byte])  # cffi's buffers accept nothing else
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def open_length_caf(path: Path) -> PatchedFile | None:
    """Return a CAF file of unspecified length as one with its actual length; None for others.

    Its samples are the last chunk, after a four-byte edit count.
    """
    with path.open("rb") as file:
        end = file.seek(0, io.SEEK_END)
        file.seek(0)
        if file.read(8)[:4] != _MARK:
            return None
        for _ in range(_MAX_CHUNKS):
            head = file.read(12)
            if len(head) < 12:
                return None
            size = int.from_bytes(head[4:], "big", signed=True)
            if head[:4] == b"data":
                if head[4:] != _OPEN:
                    return None
                place = file.tell()
                return PatchedFile(path, place - 8, (end - place).to_bytes(8, "big"))
            if not 0 <= size <= end:
                return None
            file.seek(size, io.SEEK_CUR)
    return None

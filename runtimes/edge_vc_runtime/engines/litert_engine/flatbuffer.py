"""Reading an untrusted flatbuffer: no offset is followed outside the file.

Libraries that load models follow such offsets unchecked, so files rejected here could crash them.
See https://flatbuffers.dev/internals for the layout.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_I32 = struct.Struct("<i")
MAX_ITEMS = 1 << 12
"""Maximum number of tables in a vector; a model of a few hundred kilobytes has some hundreds."""
_LONGEST_TEXT = 1024  # bytes
_SPARE = 1 << 16


class UnpackBudget:
    """Limit on the bytes of unpacked vectors, approximately the file's size.

    Many tables can share one vector: a file of a megabyte could unpack to gigabytes of names.
    """

    def __init__(self, size: int) -> None:
        self._left = 2 * size + _SPARE

    def spend(self, size: int) -> None:
        """Use ``size`` bytes; raises `FlatbufferError` if the limit is exceeded."""
        self._left -= size
        if self._left < 0:
            raise FlatbufferError("unpacks to much more than the file's size: probably malicious")


class FlatbufferError(ValueError):
    """An offset or a length that points outside the file; one line."""


class Table:
    """One table of the file; fields are identified by their index in the schema."""

    __slots__ = ("_budget", "_data", "_fields", "_size", "_start", "_table_size")

    def __init__(self, data: bytes, start: int, budget: UnpackBudget) -> None:
        self._data = data
        self._budget = budget
        self._size = len(data)
        self._start = start
        (back,) = self._unpack(_I32, start)
        fields = start - back
        (length,) = self._unpack(_U16, fields)
        (self._table_size,) = self._unpack(_U16, fields + 2)
        if length < 4 or length % 2 or self._table_size < 4:
            raise FlatbufferError(f"the table at byte {start} has no valid layout")
        self._check(fields, length)
        self._check(start, self._table_size)
        self._fields: tuple[int, ...] = struct.unpack_from(f"<{length // 2 - 2}H", data, fields + 4)
        if max(self._fields, default=0) >= self._table_size:
            raise FlatbufferError(f"the table at byte {start} has a field outside of it")

    @property
    def start(self) -> int:
        """The table's byte offset in the file."""
        return self._start

    def has(self, field: int) -> bool:
        """Return whether the field has a value in the file."""
        return field < len(self._fields) and self._fields[field] != 0

    def integer(self, field: int, form: str = "I", default: int = 0) -> int:
        """Return a number; ``form`` is its format character in `struct`."""
        if not self.has(field):
            return default
        layout = struct.Struct(f"<{form}")
        if self._fields[field] + layout.size > self._table_size:
            raise FlatbufferError(f"the table at byte {self._start} has a field outside of it")
        value: int = self._unpack(layout, self._start + self._fields[field])[0]
        return value

    def table(self, field: int) -> Table | None:
        """Return a table that the field points to, or None."""
        place = self._place(field)
        return None if place is None else Table(self._data, place, self._budget)

    def tables(self, field: int) -> Iterator[Table]:
        """Yield the tables of a vector."""
        place, count = self._vector(field, 4)
        if count > MAX_ITEMS:
            raise FlatbufferError(f"a list of {count} at byte {place}, at most {MAX_ITEMS} may be")
        for at in range(place, place + 4 * count, 4):
            yield Table(self._data, at + self._unpack(_U32, at)[0], self._budget)

    def integers(self, field: int, form: str = "i") -> tuple[int, ...]:
        """Return a vector of numbers; ``form`` is their format character in `struct`."""
        width = struct.calcsize(f"<{form}")
        place, count = self._vector(field, width)
        self._budget.spend(count * width)
        return struct.unpack_from(f"<{count}{form}", self._data, place)

    def length(self, field: int, width: int) -> int:
        """Return a vector's number of items of ``width`` bytes, all within the file."""
        return self._vector(field, width)[1]

    def content(self, field: int) -> memoryview:
        """Return the bytes of a vector of bytes, without a copy."""
        place, count = self._vector(field, 1)
        return memoryview(self._data)[place : place + count]

    def text(self, field: int) -> str:
        """Return a string, empty if missing; invalid UTF-8 is shown as a question mark."""
        place, count = self._vector(field, 1)
        if self.has(field) and self._data[place + count : place + count + 1] != b"\0":
            raise FlatbufferError(f"the text at byte {place} has no end")
        if count > _LONGEST_TEXT:
            raise FlatbufferError(f"a text of {count} bytes at byte {place} is too long for a name")
        self._budget.spend(count)
        return self._data[place : place + count].decode("utf-8", "replace")

    def _vector(self, field: int, width: int) -> tuple[int, int]:
        place = self._place(field)
        if place is None:
            return 0, 0
        (count,) = self._unpack(_U32, place)
        self._check(place + 4, count * width)
        return place + 4, count

    def _place(self, field: int) -> int | None:
        if not self.has(field):
            return None
        at = self._start + self._fields[field]
        (ahead,) = self._unpack(_U32, at)
        return at + ahead

    def _unpack(self, layout: struct.Struct, at: int) -> tuple[int, ...]:
        self._check(at, layout.size)
        found: tuple[int, ...] = layout.unpack_from(self._data, at)
        return found

    def _check(self, at: int, size: int) -> None:
        if at < 0 or at + size > self._size:
            raise FlatbufferError(f"byte {at} leads out of the file: truncated or damaged")


def root_table(data: bytes, identifier: bytes) -> Table:
    """Return the root table; raises `FlatbufferError` unless the file is of that kind."""
    if data[4:8] != identifier:
        raise FlatbufferError(
            f"holds {bytes(data[4:8])!r} instead of {identifier!r}: not such a file"
        )
    return Table(data, _U32.unpack_from(data)[0], UnpackBudget(len(data)))

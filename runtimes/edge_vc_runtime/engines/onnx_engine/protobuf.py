"""Reading untrusted protocol buffers: every length is checked, nothing is copied or merged.

A library merges duplicate messages, so that two readers may see different content; a duplicate of
anything that may occur only once is rejected. See
https://protobuf.dev/programming-guides/encoding for the layout.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

Value = int | memoryview
"""A number, or the bytes of a text, a message or a packed list."""

_VARINT, _I64, _BYTES, _I32 = 0, 1, 2, 5
_LONGEST_TEXT = 1024  # bytes
_LONGEST_VARINT = 10  # bytes
MAX_FIELDS = 1 << 16
"""Maximum number of fields in one file, counted over all its messages."""


class ProtobufError(ValueError):
    """Bytes that are not a valid message; one line."""


class FieldCount:
    """Number of fields of a file that may still be read, since each takes time."""

    def __init__(self, most: int = MAX_FIELDS) -> None:
        self._left = most

    def take(self) -> None:
        """Count one; raises `ProtobufError` if there are too many."""
        self._left -= 1
        if self._left < 0:
            raise ProtobufError(f"has more than {MAX_FIELDS} fields")


class Message:
    """One message; fields are identified by their number in the schema."""

    def __init__(self, data: memoryview, known: frozenset[int], count: FieldCount) -> None:
        """Split ``data``; raises `ProtobufError` for a field that is not ``known``."""
        self._count = count
        self._fields: dict[int, list[Value]] = {}
        for number, value in _split(data, count):
            if number not in known:
                raise ProtobufError(f"has a field {number} that this runtime does not know")
            self._fields.setdefault(number, []).append(value)

    def has(self, number: int) -> bool:
        """Return whether a field is present."""
        return number in self._fields

    def integer(self, number: int, default: int = 0) -> int:
        """Return a signed 64-bit number that occurs at most once."""
        value = self._single(number)
        if value is None:
            return default
        if not isinstance(value, int):
            raise ProtobufError(f"field {number} is not a number")
        return value - (1 << 64) if value >> 63 else value

    def text(self, number: int) -> str:
        """Return a name, empty if missing; invalid UTF-8 is shown as a question mark."""
        return _text(self._single(number), number)

    def texts(self, number: int) -> list[str]:
        """Return a list of names."""
        return [_text(value, number) for value in self._fields.get(number, [])]

    def content(self, number: int) -> memoryview:
        """Return bytes without a copy, empty if missing."""
        value = self._single(number)
        return memoryview(b"") if value is None else _bytes(value, number)

    def message(self, number: int, known: frozenset[int]) -> Message | None:
        """Return a message that occurs at most once."""
        value = self._single(number)
        return None if value is None else Message(_bytes(value, number), known, self._count)

    def messages(self, number: int, known: frozenset[int]) -> list[Message]:
        """Return a list of messages."""
        values = self._fields.get(number, [])
        return [Message(_bytes(value, number), known, self._count) for value in values]

    def integers(self, number: int) -> list[int]:
        """Return a list of signed 64-bit numbers, packed or not."""
        found: list[int] = []
        for value in self._fields.get(number, []):
            if isinstance(value, int):
                found.append(value)
                continue
            at = 0
            while at < len(value):
                self._count.take()
                each, at = _varint(value, at)
                found.append(each)
        return [each - (1 << 64) if each >> 63 else each for each in found]

    def count(self, number: int, width: int) -> int:
        """Return the number of values in a list; ``width`` is bytes per value, 0 for varints."""
        total = 0
        for value in self._fields.get(number, []):
            if isinstance(value, int):
                total += 1
            elif width:
                if len(value) % width:
                    raise ProtobufError(f"field {number} has {len(value)} bytes")
                total += len(value) // width
            else:
                total += int(np.count_nonzero(np.frombuffer(value, np.uint8) < 128))
        return total

    def _single(self, number: int) -> Value | None:
        values = self._fields.get(number, [])
        if len(values) > 1:
            raise ProtobufError(f"has the field {number} {len(values)} times, once belongs")
        return values[0] if values else None


def _split(data: memoryview, count: FieldCount) -> Iterator[tuple[int, Value]]:
    at = 0
    while at < len(data):
        count.take()
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        value: Value
        if kind == _VARINT:
            value, at = _varint(data, at)
        elif kind in (_I32, _I64):
            width = 4 if kind == _I32 else 8
            value = struct.unpack_from("<I" if width == 4 else "<Q", _span(data, at, width))[0]
            at += width
        elif kind == _BYTES:
            size, at = _varint(data, at)
            value = _span(data, at, size)
            at += size
        else:
            raise ProtobufError(f"has a field {number} of kind {kind}, which is not used any more")
        yield number, value


def _span(data: memoryview, at: int, size: int) -> memoryview:
    if size > len(data) - at:
        raise ProtobufError(f"{size} bytes at byte {at} lead out of it: truncated or damaged")
    return data[at : at + size]


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT):
        if at + place >= len(data):
            raise ProtobufError(f"a number at byte {at} has no end: truncated or damaged")
        byte = data[at + place]
        value |= (byte & 127) << (7 * place)
        if byte < 128:
            if value >> 64:
                raise ProtobufError(f"a number at byte {at} is larger than 64 bits")
            return value, at + place + 1
    raise ProtobufError(f"a number at byte {at} has no end: truncated or damaged")


def _bytes(value: Value, number: int) -> memoryview:
    if isinstance(value, int):
        raise ProtobufError(f"field {number} is a number where bytes belong")
    return value


def _text(value: Value | None, number: int) -> str:
    if value is None:
        return ""
    data = _bytes(value, number)
    if len(data) > _LONGEST_TEXT:
        raise ProtobufError(f"a text of {len(data)} bytes is too long for a name")
    return data.tobytes().decode("utf-8", "replace")

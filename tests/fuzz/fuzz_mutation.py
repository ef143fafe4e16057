"""Changing good files at random: bytes, pieces, and the values that parsers stumble over."""

from __future__ import annotations

import random

ODD = [
    b"[" * 2000, b'{"a":' * 2000, b"9" * 400, b"9" * 5000, b"1e400", b"NaN", b"-Infinity", b"null",
    b"\\ud800", b"\\u0000", b"\\u001b[31m", b"\xff\xfe", b"\xef\xbb\xbf", b"\x00", b"\xe2\x80\xa8",
    b"true", b"[]", b"{}", b'""', b"-1", b"1e308", b"2147483648", b"18446744073709551616",
    b"\\frac", b"$\\frac$", b"[/red]", b"\r", b"\n", b'"', b"'''", b"a.b.c = 1\n", b"1979-05-27",
    b"x" * 5000,
]  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return a copy with one to four changes."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        size = max(1, len(changed))
        place, end = sorted((chance.randrange(size), min(size, chance.randrange(size + 1))))
        end = min(end, place + chance.choice((1, 4, 16, 256)))
        kind = chance.randrange(7)
        if kind == 0:
            changed[place:end] = bytes(chance.randrange(256) for _ in range(end - place))
        elif kind == 1:
            changed[place:end] = chance.choice(ODD)
        elif kind == 2:
            del changed[place:end]
        elif kind == 3:
            changed[place:place] = changed[place:end] * chance.choice((1, 2, 50))
        elif kind == 4:
            changed[place : place + 4] = chance.choice(
                (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\1\0\0\0", b"\0\0\1\0")
            )
        elif kind == 5:
            _replace_value(changed, chance)
        else:
            del changed[chance.randrange(size) :]
    return bytes(changed)


def _replace_value(data: bytearray, chance: random.Random) -> None:
    """Put an odd value after a colon, an equals sign or a comma."""
    marks = [n for n, byte in enumerate(data) if byte in b":=,"]
    if not marks:
        return
    place = chance.choice(marks) + 1
    end = place
    while end < len(data) and data[end] not in b",}\n":
        end += 1
    data[place:end] = chance.choice(ODD)

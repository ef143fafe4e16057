"""Partition tables come from outside: any bytes end in partitions within the image or one line."""

from __future__ import annotations

import io
import itertools
import struct
import zlib

import pytest
from boards_cards import mbr
from hypothesis import given
from hypothesis import strategies as st

from edge_vc_boards.flash.image.error import CardError
from edge_vc_boards.flash.image.partition_table import SECTOR, Partition, read_partitions

SIZE = 1 << 20
EFI = bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b")
ROOT = bytes.fromhex("af3dc60f838472478e793d69d8477de4")


def gpt(rows: list[tuple[bytes, int, int]], **changes: int) -> bytes:
    """Return an image with a GPT; rows are type, first and last sector."""
    entries = b"".join(
        kind + bytes(16) + struct.pack("<QQQ72x", first, last, 0) for kind, first, last in rows
    )
    count = changes.get("count", len(rows))
    entries = entries.ljust(min(count, 200) * 128, b"\x00")
    header = struct.pack(
        "<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, 0, 0, 0, bytes(16),
        changes.get("table", 2), count, changes.get("width", 128), zlib.crc32(entries),
    )  # fmt: skip
    header = header[:16] + struct.pack("<I", zlib.crc32(header)) + header[20:]
    first = mbr([(0xEE, SECTOR, SIZE - SECTOR)])
    return (first + header.ljust(SECTOR, b"\x00") + entries).ljust(SIZE, b"\x00")


def test_both_kinds_of_table() -> None:
    image = mbr([(0x0C, 4096, 8192), (0x83, 16384, 4096), (0, 0, 0)]).ljust(SIZE, b"\x00")
    expected = (Partition(1, 4096, 8192, "fat"), Partition(2, 16384, 4096, "linux"))
    assert read_partitions(io.BytesIO(image)) == expected
    other = gpt([(EFI, 8, 23), (bytes(16), 0, 0), (ROOT, 32, 39)])
    found = read_partitions(io.BytesIO(other))
    assert found == (Partition(1, 4096, 8192, "fat"), Partition(3, 16384, 4096, "linux"))


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (mbr([(0x0C, 512, 2048), (0x83, 1024, 512)]).ljust(SIZE, b"\0"), "lies over another"),
        (mbr([(0x0C, 0, 2048)]).ljust(SIZE, b"\0"), "lies over another one or the table"),
        (mbr([(0x0C, 512, SIZE)]).ljust(SIZE, b"\0"), "truncated"),
        (mbr([(0xEE, 512, 512)]).ljust(SIZE, b"\0"), "announced as GPT"),
        (gpt([(EFI, 8, 23)], count=1 << 20), "1048576 entries"),
        (gpt([(EFI, 8, 23)], width=1 << 31), "at most 128 of 128"),
        (gpt([(EFI, 8, 23)], table=1 << 60), "at most 128 of 128"),
        (gpt([(EFI, 23, 8)]), "ends before it begins"),
        (gpt([(EFI, 8, (1 << 64) - 1)]), "truncated"),
        (gpt([(EFI, 8, 23)])[:1024] + b"\xff" + gpt([(EFI, 8, 23)])[1025:], "damaged"),
        (gpt([(EFI, 8, 23)])[:600] + b"\xff" + gpt([(EFI, 8, 23)])[601:], "damaged"),
    ],
)
def test_a_hostile_table_is_one_line(image: bytes, reason: str) -> None:
    with pytest.raises(CardError, match=reason) as caught:
        read_partitions(io.BytesIO(image))
    assert "\n" not in str(caught.value)


def check(image: bytes) -> None:
    try:
        found = read_partitions(io.BytesIO(image))
    except CardError:
        return
    places = sorted((each.start, each.start + each.size) for each in found)
    assert places[0][0] >= SECTOR
    assert places[-1][1] <= len(image)
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(places))


@given(st.binary(min_size=64, max_size=64), st.integers(512, 1 << 16))
def test_any_mbr(rows: bytes, size: int) -> None:
    check((bytes(446) + rows + b"\x55\xaa").ljust(size, b"\x00"))


@given(st.lists(st.tuples(st.sampled_from([EFI, ROOT, bytes(16)]), st.integers(0, 3000),
                          st.integers(0, 3000)), min_size=1, max_size=6),
       st.integers(0, SIZE), st.integers(0, 1023), st.integers(0, 255))  # fmt: skip
def test_any_gpt(rows: list[tuple[bytes, int, int]], size: int, place: int, byte: int) -> None:
    image = gpt(rows)
    check(image[:size])
    check(image[: 512 + place] + bytes([byte]) + image[513 + place :])

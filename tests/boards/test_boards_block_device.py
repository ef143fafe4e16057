"""A device is written only if it is named, removable, unused and confirmed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from edge_vc_boards.flash.image.block_device import (
    CardDevice,
    KernelFiles,
    check_device,
    write_device,
)
from edge_vc_boards.flash.image.error import CardError

DEVICE = Path("/dev/sdz")


@pytest.fixture
def machine(tmp_path: Path) -> KernelFiles:
    """A machine with a card of 1 GB in a reader, /dev/sdz, with one partition."""
    folder = tmp_path / "sys/block/sdz"
    (folder / "sdz1/holders").mkdir(parents=True)
    (folder / "holders").mkdir()
    (folder / "device").mkdir()
    values = {"removable": "1", "size": "2000000", "dev": "8:240", "device/model": "Reader",
              "sdz1/partition": "1", "sdz1/dev": "8:241"}  # fmt: skip
    for name, value in values.items():
        (folder / name).write_text(f"{value}\n")
    (tmp_path / "mountinfo").write_text("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n")
    (tmp_path / "swaps").write_text("Filename Type Size\n")
    return KernelFiles(
        tmp_path / "sys", tmp_path / "mountinfo", tmp_path / "swaps", lambda path: path == DEVICE
    )


def change(machine: KernelFiles, name: str, text: str) -> None:
    (machine.sys / "block/sdz" / name).write_text(text)


def test_a_card_in_a_reader_is_taken(machine: KernelFiles) -> None:
    found = check_device(DEVICE, 1000, replace(machine, is_block=lambda path: True))
    assert (found.size, found.model) == (1_024_000_000, "Reader")


def test_a_reader_on_the_sd_bus_is_taken(machine: KernelFiles) -> None:
    change(machine, "removable", "0")
    change(machine, "device/type", "SD")
    machine = replace(machine, is_block=lambda path: True)
    assert check_device(DEVICE, 1000, machine).path == DEVICE
    change(machine, "device/type", "MMC")
    with pytest.raises(CardError, match="not removable"):
        check_device(DEVICE, 1000, machine)


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("sys/block/sdz/removable", "0", "is not removable and is never written"),
        ("sys/block/sdz/size", "100", "has 0.0 GB, the image 1.0 GB"),
        ("mountinfo", "30 1 8:240 / /mnt rw - vfat /dev/sdz rw\n", "is mounted on /mnt"),
        ("mountinfo", "30 1 8:241 / /media/x rw - vfat /dev/sdz1 rw\n", "mounted on /media/x"),
        ("swaps", "Filename Type\n/dev/sdz1 partition 1 0 -2\n", "is used as swap"),
        ("sys/block/sdz/sdz1/holders/dm-0", "", "part of a volume"),
    ],
)
def test_a_device_that_is_not_a_free_card_is_refused(
    machine: KernelFiles, tmp_path: Path, file: str, text: str, reason: str
) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(CardError, match=reason):
        check_device(DEVICE, 1_000_000_000, replace(machine, is_block=lambda path: True))


@pytest.mark.parametrize(
    "path", ["/dev/../etc/passwd", "sdz", "/dev/disk/by-id/x", "/tmp/x", "/dev/"]
)
def test_only_a_whole_disk_can_be_named(machine: KernelFiles, path: str) -> None:
    with pytest.raises(CardError, match="has to be a whole disk"):
        check_device(Path(path), 1, machine)


def test_a_partition_and_what_is_no_device_are_refused(machine: KernelFiles) -> None:
    with pytest.raises(CardError, match="is not a block device"):
        check_device(Path("/dev/null"), 1)
    with pytest.raises(CardError, match="name the whole disk"):
        check_device(Path("/dev/sdz1"), 1, replace(machine, is_block=lambda path: True))


def test_nothing_is_written_without_its_name(tmp_path: Path) -> None:
    image, target = tmp_path / "card.img", tmp_path / "target"
    image.write_bytes(b"image" * 1000)
    target.write_bytes(bytes(10000))
    device = CardDevice(target, 10000, "Reader")
    for typed in ("", "y", "yes", str(target) + "1"):
        with pytest.raises(CardError, match="not confirmed, nothing was written"):
            write_device(image, device, lambda question, typed=typed: typed)
    assert target.read_bytes() == bytes(10000)
    asked: list[str] = []

    def confirm(question: str) -> str:
        asked.append(question)
        return f"{target}\n"

    written = write_device(image, device, confirm)
    assert written == hashlib.sha256(image.read_bytes()).hexdigest()
    assert target.read_bytes() == image.read_bytes() + bytes(5000)
    assert "will be lost" in asked[0]

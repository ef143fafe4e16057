"""A Raspberry Pi OS image: the location of its file systems and what is installed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.board import Board, System
from edge_vc_boards.flash.image.error import CardError
from edge_vc_boards.flash.image.fat import FatPartition
from edge_vc_boards.flash.image.init_format import (
    PACKAGE,
    FormatName,
    ImageContent,
    detect_format,
)
from edge_vc_boards.flash.image.partition_table import Partition, read_partitions
from edge_vc_boards.flash.image.root_files import RootPartition

_LOADER = "/usr/lib/ld-linux-aarch64.so.1"


@dataclass(frozen=True)
class PiImage:
    """An image that can be customised."""

    boot: FatPartition
    format: FormatName
    system: System
    """The system in the board's profile that has the image's Python."""
    cmdline: str
    released: str
    """Date of the image, as ``2025-12-04``."""


def inspect_image(path: Path, board: Board, chosen: str | None = None) -> PiImage:
    """Inspect an image; ``chosen`` gives its format if it matches two.

    Raises `CardError` for anything but a 64-bit Raspberry Pi OS of a known format.
    """
    with path.open("rb") as file:
        partitions = read_partitions(file)
    boot = FatPartition(path, _first(partitions, "fat"))
    root = RootPartition(path, _first(partitions, "linux"))
    names = boot.names()
    content = ImageContent(names, lambda package: root.has(PACKAGE.format(package)))
    found = detect_format(content, chosen)
    issue = re.search(r"Raspberry Pi reference (\d{4}-\d\d-\d\d)", boot.read_text("issue.txt"))
    if issue is None:
        raise CardError("is not Raspberry Pi OS: its issue.txt names no release")
    return PiImage(
        boot=boot,
        format=found,
        system=_system(root, board, issue[1]),
        cmdline=boot.read_text("cmdline.txt"),
        released=issue[1],
    )


def _first(partitions: tuple[Partition, ...], kind: str) -> Partition:
    for partition in partitions:
        if partition.kind == kind:
            return partition
    raise CardError(f"is not Raspberry Pi OS: it has no {kind.upper()} partition")


def _system(root: RootPartition, board: Board, released: str) -> System:
    if not root.has(_LOADER):
        raise CardError(
            f"is the 32-bit Raspberry Pi OS of {released}, for which no engine has wheels; take "
            "the 64-bit one (arm64)"
        )
    for system in board.systems:
        if root.has(f"/usr/bin/python{system.python}"):
            if not root.has(f"/usr/lib/python{system.python}/ensurepip/__init__.py"):
                raise CardError("has no python3-venv, which its first boot needs")
            return system
    pythons = " or ".join(system.python for system in board.systems)
    raise CardError(f"of {released} has no Python {pythons}, which {board.title} is described with")

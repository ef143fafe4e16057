"""Looks up files on an image's root partition with debugfs: read-only, without root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.flash.image.error import CardError
from edge_vc_boards.flash.image.host_tool import IMAGE, reason, run_on_image
from edge_vc_boards.flash.image.partition_table import Partition


@dataclass(frozen=True)
class RootPartition:
    """An ext4 file system in an image."""

    image: Path
    partition: Partition

    def has(self, path: str) -> bool:
        """Return whether a file, folder or link exists; raises `CardError` if it is not ext4."""
        return b"Inode:" in self._ask(f'stat "{path}"')

    def _ask(self, request: str) -> bytes:
        place = f"{IMAGE}?offset={self.partition.start}"
        done = run_on_image(self.image, ["debugfs", "-R", request, place])
        if done.returncode or b"Filesystem not open" in done.stderr + done.stdout:
            raise CardError(f"its root partition is not ext4: {reason(done, self.image)}")
        return done.stdout

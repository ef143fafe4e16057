"""Small bundles to install, and a disk that stops before any change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from runtime_bundles import mini_contents, write_bundle

from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.install.disk import Disk
from edge_vc_runtime.install.error import InstallCheckError
from edge_vc_runtime.install.installer import InstallOptions


class Unplugged(BaseException):
    """The plug was pulled."""


class StoppingDisk(Disk):
    """Counts changes; from number ``stop`` on nothing reaches the medium any more."""

    def __init__(self, stop: int = 1 << 30) -> None:
        self.changes: list[str] = []
        self._stop = stop

    def before(self, change: str) -> None:
        if len(self.changes) >= self._stop:
            raise Unplugged(change)
        self.changes.append(change)

    def write_chunk(self, descriptor: int, chunk: bytes) -> None:
        self.before("chunk")
        super().write_chunk(descriptor, chunk)


class FailingDisk(Disk):
    """Raises an error of the operating system in every change whose name begins so."""

    def __init__(self, error: OSError, change: str) -> None:
        self._error, self._change = error, change

    def before(self, change: str) -> None:
        if change.startswith(self._change):
            raise self._error


def mini_version(path: Path, version: str, boards: tuple[str, ...] = ("*",)) -> Path:
    """Write the mini bundle under another version, for some boards."""
    manifest, files = mini_contents()
    return write_bundle(path, replace(manifest, version=version, boards=boards), files)


def good(_: Bundle | Path) -> None:
    """Check nothing."""


def bad(reason: str) -> Callable[[Bundle | Path], None]:
    """Return a check that fails."""

    def check(_: Bundle | Path) -> None:
        raise InstallCheckError(reason)

    return check


QUICK = InstallOptions(goldens=good, health=good)
"""Without an engine: what is tested is the order of changes."""

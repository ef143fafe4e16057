"""A small arm64 root folder that runs here, made once; half a minute, mostly downloads.

It is built beside its destination and then renamed, so that a root is either complete or absent.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_vc_boards.emulation.error import EmulationError, UnavailableError
from edge_vc_boards.emulation.root_content import HOSTS, fill_root, root_recipe
from edge_vc_boards.emulation.sandbox import namespace

Say = Callable[[str], None]
_TOOLS = {
    "apt-get": "apt",
    "dpkg": "dpkg",
    "unshare": "util-linux",
    "mount": "mount",
    "cc": "gcc libc6-dev",
}
"""Programs that have to be installed here, and the Debian packages that contain them."""
_STAMP = "edge-vc-root.json"
"""File in the root that holds the recipe it was made from."""


def default_root() -> Path:
    """Return ``$EVC_ARM64_ROOT``, or a folder in the user's cache."""
    chosen = os.environ.get("EVC_ARM64_ROOT")
    return Path(chosen) if chosen else Path.home() / ".cache" / "edge-vc" / "arm64-root"


def make_root(root: Path, say: Say = lambda line: None) -> bool:
    """Make the root unless it exists; return whether it was made.

    ``say`` is called for every step. An interrupted call leaves its downloads for the next one.
    Raises `UnavailableError` if it cannot be made on this machine, `EmulationError` if making it
    fails.
    """
    check_host()
    root = root.absolute()
    root.parent.mkdir(parents=True, exist_ok=True)
    with _alone(root):
        if is_made(root):
            return False
        if root.exists() and not (root / _STAMP).is_file() and any(root.iterdir()):
            raise EmulationError(
                f"{root} holds something else: name another, or set EVC_ARM64_ROOT"
            )
        _sweep(root)
        beside = Path(tempfile.mkdtemp(prefix=f".{root.name}.new-", dir=root.parent))
        downloads = root.parent / f".{root.name}.downloads"
        downloads.mkdir(exist_ok=True)
        try:
            fill_root(beside, downloads, say)
            _stamp(beside)
            _swap(beside, root)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(downloads, ignore_errors=True)
    return True


def is_made(root: Path) -> bool:
    """Return whether ``root`` holds what this version of the project would make."""
    try:
        return bool(json.loads((root / _STAMP).read_text()) == root_recipe())
    except (OSError, ValueError):
        return False


def check_host() -> None:
    """Raise `UnavailableError` if a root cannot be made or entered here."""
    if platform.system() != "Linux" or platform.machine() not in HOSTS:
        here = f"{platform.system()} {platform.machine()}"
        raise UnavailableError(f"boards are emulated on Linux x86_64, this is {here}")
    missing = {tool: package for tool, package in _TOOLS.items() if shutil.which(tool) is None}
    if missing:
        raise UnavailableError(
            f"{', '.join(missing)} missing, emulating a board needs it (Debian 12): "
            f"sudo apt install {' '.join(sorted(set(missing.values())))}"
        )
    if os.geteuid() != 0 and not _namespaces():
        raise UnavailableError(
            "emulating a board needs user namespaces, which are off here, or root rights: use sudo"
        )


def _namespaces() -> bool:
    """Return whether an ordinary user may enter a root folder with private mounts."""
    return not subprocess.run([*namespace(), "true"], capture_output=True, check=False).returncode


def _stamp(root: Path) -> None:
    (root / _STAMP).write_text(json.dumps(root_recipe(), indent=1) + "\n")


def _swap(new: Path, root: Path) -> None:
    if root.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{root.name}.old-", dir=root.parent))
        root.rename(old / "root")
        new.rename(root)
        shutil.rmtree(old)
    else:
        new.rename(root)


def _sweep(root: Path) -> None:
    """Remove leftovers of killed calls beside the root."""
    for kind in ("new", "old"):
        for left in root.parent.glob(f".{root.name}.{kind}-*"):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the root's lock; waits while another process is making the same root."""
    with (root.parent / f".{root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

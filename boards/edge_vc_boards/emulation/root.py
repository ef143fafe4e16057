"""A small arm64 root that runs here: Python, numpy, the engines, and QEMU with its counter.

Packages and wheels are only unpacked, nothing is emulated while it is made: half a minute, most
of it downloads. It is built beside its place and then renamed, so that a root is whole or absent.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_vc_boards.board import load_board
from edge_vc_boards.emulation.debian import fetch_packages, run_tool, unpack
from edge_vc_boards.emulation.error import EmulationError, UnavailableError
from edge_vc_boards.emulation.fake_proc import HOST_PROC
from edge_vc_boards.requirements import platform_tags, wheel_set
from edge_vc_runtime.engines import engine_kinds

PYTHON = "/usr/bin/python3.11"
"""Debian 12's own."""
QEMU = "/opt/qemu"
"""QEMU for this machine, with its libraries and ``libicount.so``."""
WHEELS = "/opt/wheels"
APP = "/opt/app"
"""Where the packages of this project are mounted."""
_VERSION = "3.11"
_GUEST = ("python3.11-minimal", "libpython3.11-stdlib", "libstdc++6")
_EMULATOR = ("qemu-user",)
_STAMP = "edge-vc-root.json"
_NO_INDEX = re.compile(r"from versions: none|Failed to establish|name resolution|ConnectionError")
_HOST = {"x86_64": ("amd64", "ld-linux-x86-64.so.2")}


def default_root() -> Path:
    """Return ``$EVC_ARM64_ROOT``, or a folder in the user's cache."""
    chosen = os.environ.get("EVC_ARM64_ROOT")
    return Path(chosen) if chosen else Path.home() / ".cache" / "edge-vc" / "arm64-root"


def make_root(root: Path) -> bool:
    """Make the root unless it is there already; return whether it was made.

    Raises `UnavailableError` when it cannot be had here, `EmulationError` when making it fails.
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
        try:
            with tempfile.TemporaryDirectory(prefix=f".{root.name}.debs-", dir=root.parent) as debs:
                _fill(beside, Path(debs))
            _swap(beside, root)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return True


def is_made(root: Path) -> bool:
    """Whether ``root`` holds what this version of the project would make."""
    try:
        return bool(json.loads((root / _STAMP).read_text()) == _recipe())
    except (OSError, ValueError):
        return False


def check_host() -> None:
    """Raise `UnavailableError` where no root can be made or entered."""
    if platform.system() != "Linux" or platform.machine() not in _HOST:
        here = f"{platform.system()} {platform.machine()}"
        raise UnavailableError(f"boards are emulated on Linux x86_64, this is {here}")
    if os.geteuid() != 0:
        raise UnavailableError("emulating a board needs root rights (chroot, mount): use sudo")
    for tool in ("apt-get", "dpkg", "unshare", "mount", "cc"):
        if shutil.which(tool) is None:
            raise UnavailableError(f"{tool} is missing, emulating a board needs it (Debian 12)")


def _recipe() -> dict[str, object]:
    """Return everything that decides what is in the root."""
    source = Path(__file__).with_name("icount.c").read_bytes()
    return {
        "form": 1,
        "packages": [*_GUEST, *_EMULATOR],
        "wheels": list(_requirements()),
        "counter": hashlib.sha256(source).hexdigest(),
    }


def _requirements() -> tuple[str, ...]:
    board = load_board("pi4")  # Debian 12, as the root is
    engines = [kind.name for kind in engine_kinds().values() if _VERSION in kind.wheels]
    sets = [wheel_set(board, engine, _VERSION).requirements for engine in engines]
    return tuple(sorted({line for lines in sets for line in lines}))


def _fill(root: Path, scratch: Path) -> None:
    unpack(fetch_packages(_GUEST, "arm64", scratch / "guest"), root)
    (root / "usr/bin/python3").symlink_to("python3.11")
    _install_emulator(root, scratch)
    _install_wheels(root, scratch)
    for folder in (HOST_PROC, f"{APP}/edge_vc_runtime", f"{APP}/edge_vc_boards"):
        (root / folder[1:]).mkdir(parents=True)
    for folder in ("proc", "sys", "dev", "tmp", "mnt"):
        (root / folder).mkdir(exist_ok=True)
    root.chmod(0o755)
    _stamp(root)


def _stamp(root: Path) -> None:
    (root / _STAMP).write_text(json.dumps(_recipe(), indent=1) + "\n")


def _install_emulator(root: Path, scratch: Path) -> None:
    """Put the dynamic QEMU (the static one takes no plugins) and its libraries into one folder."""
    architecture, loader = _HOST[platform.machine()]
    unpack(fetch_packages(_EMULATOR, architecture, scratch / "host"), scratch / "tree")
    folder = root / QEMU[1:]
    folder.mkdir(parents=True)
    tree = scratch / "tree"
    shutil.copy2(tree / "usr/bin/qemu-aarch64", folder)
    for library in tree.glob("**/*-linux-gnu/*.so*"):
        if library.name == loader or library.name.startswith("lib"):
            shutil.copy2(library, folder)
    source = Path(__file__).with_name("icount.c")
    run_tool(["cc", "-O2", "-shared", "-fPIC", "-o", str(folder / "libicount.so"), str(source)])


def _install_wheels(root: Path, scratch: Path) -> None:
    target = root / WHEELS[1:]
    listed = scratch / "requirements.txt"
    listed.write_text("\n".join(_requirements()) + "\n")
    options = [f"--platform={tag}" for tag in platform_tags("2.36")]
    options += ["--python-version=3.11", "--only-binary=:all:", "--no-deps", "--no-compile"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        run_tool([*pip, *options, f"--target={target}", "--requirement", str(listed)])
    except EmulationError as error:
        if _NO_INDEX.search(str(error)):
            raise UnavailableError(f"{error} (wheels come from a package index)") from error
        raise
    if sys.version_info[:2] == (3, 11):  # else the guest compiles, slowly, at every start
        libraries = (root / "usr/lib/python3.11", target)
        for library in libraries:
            run_tool([sys.executable, "-m", "compileall", "-q", "-j0", str(library)])


def _swap(new: Path, root: Path) -> None:
    if root.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{root.name}.old-", dir=root.parent))
        root.rename(old / "root")
        new.rename(root)
        shutil.rmtree(old)
    else:
        new.rename(root)


def _sweep(root: Path) -> None:
    """Remove what a killed call left beside the root."""
    for kind in ("new", "old", "debs"):
        for left in root.parent.glob(f".{root.name}.{kind}-*"):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Wait until no other process makes this root."""
    with (root.parent / f".{root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

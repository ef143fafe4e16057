"""Content of the arm64 root: Debian's Python, numpy, the engines, and QEMU with its counter.

Packages and wheels are unpacked, not installed; making the root does not use emulation.
"""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from edge_vc_boards.emulation.debian import fetch_packages, run_tool, unpack
from edge_vc_boards.emulation.error import EmulationError, UnavailableError
from edge_vc_boards.emulation.fake_proc import HOST_PROC
from edge_vc_boards.profile_folder import load_board
from edge_vc_boards.wheels.requirements import platform_tags, wheel_set
from edge_vc_runtime.engines import engine_kinds

PYTHON = "/usr/bin/python3.11"
"""The Python of Debian 12."""
QEMU = "/opt/qemu"
"""QEMU for this machine, with its libraries and ``libicount.so``."""
WHEELS = "/opt/wheels"
APP = "/opt/app"
"""Mount point of this project's packages."""
HOSTS = {"x86_64": ("amd64", "ld-linux-x86-64.so.2")}
"""Debian's architecture and the dynamic loader of each supported host machine."""
GUEST_PACKAGES = ("python3.11-minimal", "libpython3.11-stdlib", "libstdc++6")
_EMULATOR = ("qemu-user",)
_VERSION = "3.11"
_NO_INDEX = re.compile(r"from versions: none|Failed to establish|name resolution|ConnectionError")


def root_recipe() -> dict[str, object]:
    """Return everything that determines the root's content; if it changes, the root is remade."""
    source = Path(__file__).with_name("icount.c").read_bytes()
    return {
        "form": 1,
        "packages": [*GUEST_PACKAGES, *_EMULATOR],
        "wheels": list(_requirements()),
        "counter": hashlib.sha256(source).hexdigest(),
    }


def _requirements() -> tuple[str, ...]:
    board = load_board("pi4")  # Debian 12, like the root
    engines = [kind.name for kind in engine_kinds().values() if _VERSION in kind.wheels]
    sets = [wheel_set(board, engine, _VERSION).requirements for engine in engines]
    return tuple(sorted({line for lines in sets for line in lines}))


def fill_root(root: Path, scratch: Path, say: Callable[[str], None]) -> None:
    """Fill the empty folder ``root``; downloads go to ``scratch`` and are reused.

    Raises `UnavailableError` without a network or an index, `EmulationError` if a tool fails.
    """
    say("1 of 3: Debian's Python for arm64")
    unpack(fetch_packages(GUEST_PACKAGES, "arm64", scratch / "guest"), root)
    (root / "usr/bin/python3").symlink_to("python3.11")
    say("2 of 3: QEMU, and its counter, compiled here")
    _install_emulator(root, scratch)
    say("3 of 3: the engines' aarch64 wheels")
    _install_wheels(root, scratch)
    for folder in (HOST_PROC, f"{APP}/edge_vc_runtime", f"{APP}/edge_vc_boards"):
        (root / folder[1:]).mkdir(parents=True)
    for folder in ("proc", "sys", "dev", "tmp", "mnt"):
        (root / folder).mkdir(exist_ok=True)
    root.chmod(0o755)


def _install_emulator(root: Path, scratch: Path) -> None:
    """Put the dynamic QEMU (the static one lacks plugins) and its libraries into one folder."""
    architecture, loader = HOSTS[platform.machine()]
    shutil.rmtree(scratch / "tree", ignore_errors=True)
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
    if sys.version_info[:2] == (3, 11):  # otherwise the guest compiles, slowly, at every start
        libraries = (root / "usr/lib/python3.11", target)
        for library in libraries:
            run_tool([sys.executable, "-m", "compileall", "-q", "-j0", str(library)])

"""A C compiler for aarch64, unpacked from Debian's packages; nothing is installed or emulated."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.emulation.debian import fetch_packages, run_tool, unpack
from edge_vc_boards.emulation.error import UnavailableError

TARGET_SUITE = "bookworm"
"""Its glibc is the oldest of the boards' Debians: libraries linked with it run on all of them."""
_HOSTS = {"x86_64": ("amd64", "x86_64-linux-gnu")}


@dataclass(frozen=True)
class CrossCompiler:
    """The unpacked compiler and the libraries that it links with."""

    tools: Path
    target: Path
    """Headers and libraries for the board."""

    def shared_library(
        self,
        output: Path,
        sources: Sequence[Path],
        options: Sequence[str],
        libraries: Sequence[str],
    ) -> None:
        """Compile C files into a shared library; raises `EmulationError` with gcc's message."""
        binaries = self.tools / "usr" / "bin"
        programs = sorted(binaries.glob("aarch64-linux-gnu-gcc-[0-9]*"))
        if not programs:
            raise UnavailableError("the package gcc-aarch64-linux-gnu holds no compiler")
        _, triplet = _HOSTS[platform.machine()]
        environment = [
            "env",
            "LC_ALL=C",
            f"PATH={binaries}:{os.environ.get('PATH', '')}",
            f"LD_LIBRARY_PATH={self.tools}/usr/lib/{triplet}",
        ]
        command = [str(programs[0]), f"--sysroot={self.target}"]
        command += [f"-B{self.tools}/usr/aarch64-linux-gnu/bin"]
        command += [f"-B{self.target}/usr/lib/aarch64-linux-gnu"]
        command += ["-shared", "-fPIC", "-O2", "-s", "-w", *options, *map(str, sources)]
        run_tool([*environment, *command, "-o", str(output), *libraries])


def unpack_compiler(scratch: Path, libraries: Sequence[str]) -> CrossCompiler:
    """Fetch the compiler and the board's development ``libraries`` into ``scratch``, 60 MB.

    Raises `UnavailableError` if they are not available: Debian on x86-64 and a network are needed.
    """
    machine = platform.machine()
    if platform.system() != "Linux" or machine not in _HOSTS:
        raise UnavailableError(f"it takes Linux on x86_64, this is {platform.system()} {machine}")
    for tool in ("apt-get", "dpkg", "tar"):
        if shutil.which(tool) is None:
            raise UnavailableError(f"{tool} is missing, it takes Debian")
    architecture, _ = _HOSTS[machine]
    tools = fetch_packages(("gcc-aarch64-linux-gnu",), architecture, scratch / "tool-packages")
    unpack(tools, scratch / "tools")
    target = fetch_packages(
        ("libc6-dev", *libraries), "arm64", scratch / "target-packages", suite=TARGET_SUITE
    )
    unpack(target, scratch / "target")
    return CrossCompiler(scratch / "tools", scratch / "target")

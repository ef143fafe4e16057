"""PyAudio's wheel for aarch64, built here because nobody publishes one.

PortAudio is compiled in, for ALSA only, so that the board needs no further package. The wheel is
kept in the user's cache by version and Python.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import zipfile
from pathlib import Path

from edge_vc_boards.emulation.debian import fetch_alone, fetch_source, run_tool
from edge_vc_boards.emulation.error import EmulationError, UnavailableError
from edge_vc_boards.wheels.cross_compiler import TARGET_SUITE, unpack_compiler
from edge_vc_boards.wheels.wheel_file import WheelName, write_wheel

VERSION = "0.2.14"
SHA256 = "78dfff3879b4994d1f4fc6485646a57755c6ee3c19647a491f790a0895bd2f87"
"""Hash of the source archive."""
SUITES = {"3.11": "bookworm", "3.13": "trixie"}
"""Debian release that has the headers for each Python."""
_BUILD = "1"  # increment when the recipe below changes
_DEFINES = (
    "-DPA_USE_ALSA=1", "-DPA_LITTLE_ENDIAN", "-DHAVE_CLOCK_GETTIME", "-DHAVE_NANOSLEEP",
    "-DSIZEOF_SHORT=2", "-DSIZEOF_INT=4", "-DSIZEOF_LONG=8", "-DNDEBUG", "-fvisibility=hidden",
)  # fmt: skip
_PORTAUDIO = ("src/common", "src/os/unix", "src/hostapi/alsa")


def pyaudio_wheel(python: str, glibc: str, cache: Path | None = None) -> Path:
    """Return the wheel for a Python (``3.13``); building it the first time takes a minute.

    Raises `UnavailableError` if it cannot be built: this needs Debian on x86-64, apt, a package
    index, and a Python that is in a Debian release.
    """
    abi = f"cp{python.replace('.', '')}"
    name = WheelName("PyAudio", VERSION, f"{abi}-{abi}-linux_aarch64", _BUILD)
    folder = cache or _cache()
    wheel = folder / name.file
    if not wheel.is_file():
        if python not in SUITES:
            raise UnavailableError(f"no Debian release has Python {python} and its headers")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="edge-vc-pyaudio-") as scratch:
            write_wheel(folder, name, _build(python, name, Path(scratch)))
    _check_glibc(wheel, glibc)
    return wheel


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "edge-vc" / "wheels"


def _build(python: str, name: WheelName, scratch: Path) -> dict[str, bytes]:
    """Compile in ``scratch``; return the wheel's files."""
    pyaudio, portaudio = _sources(scratch)
    compiler = unpack_compiler(scratch, ("libasound2-dev",))
    headers = scratch / "headers"
    package = fetch_alone(f"libpython{python}-dev", "arm64", scratch / "python", SUITES[python])
    run_tool(["dpkg", "--extract", str(package), str(headers)])
    included = [portaudio / "include", *(portaudio / part for part in _PORTAUDIO[:2])]
    included += [headers / "usr/include" / f"python{python}", headers / "usr/include"]
    sources = [file for part in _PORTAUDIO for file in sorted((portaudio / part).glob("*.c"))]
    sources += sorted((pyaudio / "src/pyaudio").glob("*.c"))
    options = [*_DEFINES, f"-ffile-prefix-map={scratch}=.", *(f"-I{path}" for path in included)]
    library = scratch / "_portaudio.so"
    compiler.shared_library(library, sources, options, ("-lasound", "-lpthread", "-lm"))
    suffix = f"cpython-{python.replace('.', '')}-aarch64-linux-gnu.so"
    return {
        "pyaudio/__init__.py": (pyaudio / "src/pyaudio/__init__.py").read_bytes(),
        f"pyaudio/_portaudio.{suffix}": library.read_bytes(),
        f"{name.info}/METADATA": (pyaudio / "PKG-INFO").read_bytes(),
        f"{name.info}/licenses/LICENSE.txt": (pyaudio / "LICENSE.txt").read_bytes(),
        f"{name.info}/licenses/PORTAUDIO.txt": (portaudio / "LICENSE.txt").read_bytes(),
    }


def _sources(scratch: Path) -> tuple[Path, Path]:
    """Fetch PyAudio, checked by hash, and PortAudio, signed by Debian; return their folders."""
    listed = scratch / "requirements.txt"
    listed.write_text(f"pyaudio=={VERSION} --hash=sha256:{SHA256}\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    pip += ["--no-deps", "--no-binary=:all:", "--no-build-isolation", f"--dest={scratch}"]
    try:
        run_tool([*pip, "--requirement", str(listed)])
    except EmulationError as error:
        raise UnavailableError(f"PyAudio's source: {error}") from error
    archives = [
        *scratch.glob(f"[Pp]y[Aa]udio-{VERSION}.tar.gz"),
        *fetch_source("portaudio19", scratch / "portaudio", TARGET_SUITE),
    ]
    folders: list[Path] = []
    for archive in archives:
        folder = scratch / f"source-{len(folders)}"
        folder.mkdir()
        tar = ["tar", "--extract", "--no-same-owner", "--strip-components=1"]
        run_tool([*tar, f"--file={archive}", f"--directory={folder}"])
        folders.append(folder)
    pyaudio, portaudio = folders
    return pyaudio, portaudio


def _check_glibc(wheel: Path, glibc: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith(".so")]
        symbols = b"".join(archive.read(name) for name in names)
    needed = max(int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", symbols))
    if needed > int(glibc.split(".")[1]):
        raise UnavailableError(f"{wheel.name} needs glibc 2.{needed}, the system has {glibc}")

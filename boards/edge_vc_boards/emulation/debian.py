"""Debian packages of any architecture, fetched and unpacked without installing anything.

apt uses a separate, initially empty state folder with the machine's configured mirrors: packages
come with all their dependencies, and the machine's own packages are not touched.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from edge_vc_boards.emulation.error import EmulationError, UnavailableError

_TIMEOUT_S = 600
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def fetch_packages(
    names: Sequence[str], architecture: str, folder: Path, suite: str | None = None
) -> list[Path]:
    """Download packages with their dependencies into ``folder``; return the ``.deb`` files.

    ``suite`` is a Debian release (``trixie``); by default the machine's own sources are used.
    Raises `UnavailableError` without apt, without a network, or if the mirrors lack a package.
    """
    options = _private_state(architecture, folder, suite)
    try:
        _apt([*options, "update"])
        _apt([*options, "--yes", "--download-only", "--no-install-recommends", "install", *names])
    except EmulationError as error:
        raise UnavailableError(f"{error} (the emulated root is made from Debian 12)") from error
    return sorted((folder / "cache" / "archives").glob("*.deb"))


def fetch_alone(name: str, architecture: str, folder: Path, suite: str) -> Path:
    """Download one package of a Debian release without its dependencies.

    Raises `UnavailableError`.
    """
    options = _private_state(architecture, folder, suite)
    try:
        _apt([*options, "update"])
        _apt([*options, "download", name], folder)
    except EmulationError as error:
        raise UnavailableError(f"{error} (from Debian's {suite})") from error
    return next(iter(folder.glob(f"{name}_*.deb")))


def fetch_source(name: str, folder: Path, suite: str) -> list[Path]:
    """Download the original source archive of a package; raises `UnavailableError`."""
    options = _private_state("amd64", folder, suite)
    try:
        _apt([*options, "update"])
        _apt([*options, "source", "--download-only", name], folder)
    except EmulationError as error:
        raise UnavailableError(f"{error} (from Debian's {suite})") from error
    return sorted(folder.glob(f"{name}_*.orig.tar.*[!c]"))


def unpack(packages: Sequence[Path], root: Path) -> None:
    """Unpack packages into ``root``; their install scripts are not run.

    Links to folders are kept, e.g. ``/bin`` to ``/usr/bin``: ``dpkg --extract`` would replace them
    with the package's own empty folder.
    """
    root.mkdir(parents=True, exist_ok=True)
    into = ["tar", "--extract", "--preserve-permissions", "--keep-directory-symlink"]
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "files.tar"
        for package in packages:
            with archive.open("wb") as files:
                run_tool(["dpkg-deb", "--fsys-tarfile", str(package)], output=files)
            run_tool([*into, f"--file={archive}", f"--directory={root}"])


def run_tool(
    command: Sequence[str],
    timeout_s: float = _TIMEOUT_S,
    folder: Path | None = None,
    output: IO[bytes] | None = None,
) -> str:
    """Run a command and return its output, or write the output to ``output``.

    Raises `EmulationError` with its last error message.
    """
    try:
        done = subprocess.run(
            command, stdout=output or subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=timeout_s, stdin=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise EmulationError(f"{command[0]} is missing") from error
    except subprocess.TimeoutExpired as error:
        raise EmulationError(f"{command[0]} took more than {timeout_s:.0f} s") from error
    if done.returncode:
        raise EmulationError(f"{command[0]}: {_complaint(done.stderr or done.stdout)}")
    return done.stdout or ""


def _apt(arguments: Sequence[str], folder: Path | None = None) -> None:
    # By default apt reports a failed download only as a warning.
    run_tool(["apt-get", "-qq", "-oAPT::Update::Error-Mode=any", *arguments], folder=folder)


def _private_state(architecture: str, folder: Path, suite: str | None) -> list[str]:
    """Create the folders that apt expects; return the options that point to them."""
    folder = folder.absolute()
    for part in ("state/lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    options = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",  # otherwise apt drops privileges and cannot write here
    }
    if suite is not None:
        sources = folder / "sources.list"
        place = f"[signed-by={_KEYRING}] {_mirror()} {suite} main"
        sources.write_text(f"deb {place}\ndeb-src {place}\n", encoding="utf-8")
        options |= {"Dir::Etc::SourceList": sources, "Dir::Etc::SourceParts": "/dev/null"}
    return [f"-o{key}={value}" for key, value in options.items()]


def _mirror() -> str:
    """Return the Debian mirror that the machine is configured with."""
    try:
        listed = run_tool(["apt-get", "indextargets", "--format", "$(LABEL)|$(ORIGIN)|$(REPO_URI)"])
    except EmulationError as error:
        raise UnavailableError(str(error)) from error
    for line in listed.splitlines():
        label, origin, address = line.split("|", 2)
        if (label, origin) == ("Debian", "Debian"):
            return address
    raise UnavailableError("apt knows no mirror of Debian; run apt-get update once")


def _complaint(text: str) -> str:
    """Return the first error line, or the last line, shortened."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["failed"]
    errors = [line for line in lines if line.startswith(("E:", "ERROR", "error"))]
    return (errors or lines[-1:])[0][:300]

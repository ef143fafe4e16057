"""Debian packages of any architecture, fetched and unpacked without installing anything.

apt works on a state folder of its own, empty at first, with the machine's configured mirrors: the
packages come with everything they depend on, and the machine's own packages are not touched.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from edge_vc_boards.emulation.error import EmulationError, UnavailableError

_TIMEOUT_S = 600


def fetch_packages(names: Sequence[str], architecture: str, folder: Path) -> list[Path]:
    """Download packages with their dependencies into ``folder``; return the ``.deb`` files.

    Raises `UnavailableError` without apt, without a network, or when the machine's mirrors do not
    have a package.
    """
    options = _private_state(architecture, folder)
    try:
        _apt([*options, "update"])
        _apt([*options, "--yes", "--download-only", "--no-install-recommends", "install", *names])
    except EmulationError as error:
        raise UnavailableError(f"{error} (the emulated root is made from Debian 12)") from error
    return sorted((folder / "cache" / "archives").glob("*.deb"))


def unpack(packages: Sequence[Path], root: Path) -> None:
    """Unpack packages into ``root``; their install scripts are not run."""
    for package in packages:
        run_tool(["dpkg", "--extract", str(package), str(root)])


def run_tool(command: Sequence[str], timeout_s: float = _TIMEOUT_S) -> str:
    """Run a command and return what it printed; raises `EmulationError` with its last complaint."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as error:
        raise EmulationError(f"{command[0]} is missing") from error
    except subprocess.TimeoutExpired as error:
        raise EmulationError(f"{command[0]} took more than {timeout_s:.0f} s") from error
    if done.returncode:
        raise EmulationError(f"{command[0]}: {_complaint(done.stderr or done.stdout)}")
    return done.stdout


def _apt(arguments: Sequence[str]) -> None:
    # apt calls a failed download a warning unless it is told that it matters.
    run_tool(["apt-get", "-qq", "-oAPT::Update::Error-Mode=any", *arguments])


def _private_state(architecture: str, folder: Path) -> list[str]:
    """Make the folders that apt expects; return the options that point to them."""
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
        "APT::Sandbox::User": "root",  # else apt drops rights and cannot write here
    }
    return [f"-o{key}={value}" for key, value in options.items()]


def _complaint(text: str) -> str:
    """Return the first error line, or the last line, shortened."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["failed"]
    errors = [line for line in lines if line.startswith(("E:", "ERROR", "error"))]
    return (errors or lines[-1:])[0][:300]

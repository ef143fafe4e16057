"""Checks before a bundle is installed, and of an installed one."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge_vc_runtime.board_profile import BoardProfileError, find_board
from edge_vc_runtime.bundle.manifest import BundleError, Manifest
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.golden import replay_golden
from edge_vc_runtime.install.disk import Disk
from edge_vc_runtime.install.error import InstallCheckError, InstallError
from edge_vc_runtime.install.layout import BUNDLE_NAME
from edge_vc_runtime.session import Session

SPARE_BYTES = 16 << 20
"""Kept free on the file system: a full one stops the journal and the next installation."""
_HEALTH_TIMEOUT_S = 120.0

HealthCheck = Callable[[Path], None]
"""Takes the current release's folder; raises `InstallCheckError` with the reason."""


def check_board(manifest: Manifest, board: str | None) -> None:
    """Reject a bundle for other boards; ``board`` is this one's name, None to detect it."""
    if "*" in manifest.boards:
        return
    try:
        found = find_board() if board is None else None
    except BoardProfileError as error:
        raise InstallError(str(error)) from error
    name = board or (found.name if found else "")
    if name not in manifest.boards:
        here = f"this is {name}" if name else "this is not a board that the runtime knows"
        raise InstallError(
            f"{manifest.name} {manifest.version} is for {', '.join(manifest.boards)[:200]}, {here}"
        )


def check_age(manifest: Manifest, installed: list[Manifest]) -> None:
    """Reject a bundle older than an installed one of the same name."""
    for other in installed:
        if other.name == manifest.name and version_key(manifest.version) < version_key(
            other.version
        ):
            raise InstallError(
                f"{manifest.name} {manifest.version} is older than {other.version}, which is "
                "installed; --allow-downgrade installs it all the same"
            )


def version_key(version: str) -> tuple[tuple[int, ...], int, str]:
    """Return the sort key of a version: numbers, then ``-rc`` and the like before none."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    rest = version[len(found[0]) :] if found else version
    suffix = rest.partition("+")[0]  # build metadata follows, which is ignored
    while numbers and numbers[-1] == 0:
        numbers.pop()
    later = suffix.lstrip("-.").startswith("post")
    return tuple(numbers), 0 if not suffix else 1 if later else -1, suffix


def check_space(size: int, folder: Path, disk: Disk) -> None:
    """Reject a bundle of ``size`` bytes that would fill the file system."""
    free = disk.free_bytes(folder)
    if free < size + SPARE_BYTES:
        raise InstallError(
            f"{folder}: {free / 1e6:.1f} MB free, {(size + SPARE_BYTES) / 1e6:.1f} MB are needed"
        )


def check_goldens(bundle: Bundle) -> None:
    """Replay the golden recording with every engine here.

    Raises `InstallCheckError` if the output differs, `InstallError` if it cannot be replayed: a
    graph that an engine rejects, no engine, no recording.
    """
    try:
        replays = replay_golden(bundle)
    except (BundleError, EngineError) as error:
        raise InstallError(f"golden recording: {error}") from error
    for replay in replays:
        if not replay.equal:
            raise InstallCheckError(
                f"golden recording: {replay.engine} {replay.precision} is "
                f"{replay.difference:.2e} off, {replay.tolerance:.0e} is allowed"
            )
    if not replays:
        raise InstallError("golden recording: holds nothing that an engine here can run")


def first_hop(folder: Path) -> None:
    """Open the release like a service and convert one hop of silence."""
    try:
        session = Session.open(folder / BUNDLE_NAME)
        output = session.step(np.zeros(session.hop, np.float32))
    except (BundleError, EngineError) as error:
        raise InstallCheckError(str(error)) from error
    if not np.isfinite(output).all():
        raise InstallCheckError("the first hop is not finite")


def health_command(command: str) -> HealthCheck:
    """Return a check that runs a command, without a shell, in the release's folder."""
    words = shlex.split(command)
    if not words:
        raise InstallError("the health command is empty")

    def check(folder: Path) -> None:
        try:
            done = subprocess.run(
                words, cwd=folder, capture_output=True, text=True, errors="replace",
                stdin=subprocess.DEVNULL, timeout=_HEALTH_TIMEOUT_S, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InstallCheckError(f"{words[0]}: {error}") from error
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise InstallCheckError(
                f"{words[0]} ended with {done.returncode}{f': {said[-1]}' if said else ''}"
            )

    return check

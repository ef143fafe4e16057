"""Makes a release current, and rolls it back if it fails."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge_vc_runtime.install.checks import HealthCheck
from edge_vc_runtime.install.disk import Disk, only_installer
from edge_vc_runtime.install.error import InstallCheckError, InstallError
from edge_vc_runtime.install.layout import UNFINISHED, InstallRoot
from edge_vc_runtime.install.state import InstallState, read_state, write_state

KEPT = 3
"""Number of releases to keep, including the current and the previous one."""


@dataclass(frozen=True)
class InstallResult:
    """The release that became current."""

    release: str
    previous: str
    """The previous release; empty if there was none."""
    changed: bool


def switch(
    root: InstallRoot,
    release: str,
    state: InstallState,
    health: HealthCheck,
    disk: Disk,
    *,
    keep: int = KEPT,
    event: tuple[str, str] = ("install", ""),
) -> InstallResult:
    """Make a release current and check its health; restore the previous one if that fails.

    ``event`` is the action and reason recorded in the state. Raises `InstallCheckError` with the
    reason, which is also recorded in the state.
    """
    running = root.current_release()
    previous = running if running not in (None, release) else state.previous
    previous = previous if previous and root.open_release(previous) else ""
    state = replace(state, pending=release, previous=previous)
    write_state(root.state, state, disk)
    disk.link(root.current, f"releases/{release}")
    try:
        health(root.releases / release)
    except InstallCheckError as error:
        _take_back(root, release, state, str(error), disk)
        after = f"{previous} runs again" if previous else "nothing is installed now"
        raise InstallCheckError(f"{release}: rolled back, {after}: {error}") from error
    state = replace(state, pending="").with_latest(release)
    action, reason = event
    state = state.noting(action, release, reason)
    write_state(root.state, state, disk)
    prune(root, state, keep, disk)
    return InstallResult(release, previous, True)


def _take_back(
    root: InstallRoot, release: str, state: InstallState, reason: str, disk: Disk
) -> None:
    if state.previous:
        disk.link(root.current, f"releases/{state.previous}")
    else:
        disk.remove(root.current)
    state = replace(state, pending="", previous="").noting("rollback", release, reason)
    write_state(root.state, state, disk)


def roll_back(
    root: InstallRoot, reason: str, health: HealthCheck, disk: Disk | None = None
) -> InstallResult:
    """Make the previous release current again.

    Raises `InstallError` if there is none.
    """
    disk = disk or Disk()
    check_installed(root)
    with only_installer(root.lock):
        state, running = read_state(root.state), root.current_release()
        candidates = [state.previous, *reversed(state.order)]
        for release in candidates:
            if release and release != running and root.open_release(release):
                event = ("rollback", f"from {running}: {reason}")
                return switch(root, release, state, health, disk, keep=100, event=event)
    raise InstallError(f"{root.path}: holds no other release to go back to")


def uninstall(root: InstallRoot, disk: Disk | None = None) -> list[str]:
    """Remove all releases and the state; return the releases. Other files are kept."""
    disk = disk or Disk()
    check_installed(root)
    with only_installer(root.lock):
        releases = root.kept_releases()
        for path in (root.current, root.releases, root.state, *root.unfinished(), root.lock):
            disk.remove(path)
    if not any(root.path.iterdir()):
        disk.remove(root.path)
    return releases


def sweep(root: InstallRoot, disk: Disk) -> None:
    """Remove leftovers of interrupted calls."""
    for path in root.unfinished():
        disk.remove(path)


def prune(root: InstallRoot, state: InstallState, keep: int, disk: Disk) -> None:
    """Remove the least recently current releases beyond ``keep``."""
    latest = state.order[-keep:] if keep > 0 else ()
    stay = {root.current_release(), state.previous, *latest}
    for release in root.kept_releases():
        if release not in stay:
            gone = root.releases / f"{UNFINISHED}{release}"
            disk.rename(root.releases / release, gone)  # never a partial release under its name
            disk.remove(gone)


def check_installed(root: InstallRoot) -> None:
    """Raise `InstallError` if nothing is installed."""
    if not root.releases.is_dir():
        raise InstallError(f"{root.path}: nothing is installed there")

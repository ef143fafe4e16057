"""Installation of a bundle: verify, copy, check with its golden recording, make current."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.install.checks import (
    HealthCheck,
    check_age,
    check_board,
    check_goldens,
    check_space,
    first_hop,
)
from edge_vc_runtime.install.disk import Disk, only_installer
from edge_vc_runtime.install.error import InstallError
from edge_vc_runtime.install.layout import BUNDLE_NAME, UNFINISHED, InstallRoot, release_name
from edge_vc_runtime.install.state import read_state
from edge_vc_runtime.install.switching import KEPT, InstallResult, sweep, switch
from edge_vc_runtime.trust import check_trust, machine_policy


@dataclass(frozen=True)
class InstallOptions:
    """Options of installing a bundle."""

    allow_downgrade: bool = False
    board: str | None = None
    """This board's name; None detects it."""
    keep: int = KEPT
    """Number of releases to keep."""
    goldens: Callable[[Bundle], None] = check_goldens
    health: HealthCheck = first_hop


def install_bundle(
    source: Path,
    root: InstallRoot,
    options: InstallOptions | None = None,
    disk: Disk | None = None,
) -> InstallResult:
    """Install a bundle unless it is already current.

    At all times `current` is a complete, verified release. Raises `BundleError` for an invalid or
    untrusted bundle, `InstallError` for one that is rejected or cannot be written, and
    `InstallCheckError` for one that fails here; the previous release keeps running in every case.
    """
    options, disk = options or InstallOptions(), disk or Disk()
    bundle = read_bundle(source)
    check_trust(bundle, machine_policy())
    check_board(bundle.manifest, options.board)
    disk.make_folder(root.releases)
    with only_installer(root.lock):
        sweep(root, disk)
        state, release = read_state(root.state), release_name(bundle)
        running = root.current_release()
        whole = _is_whole(root, release, bundle)
        if whole and running == release and not state.pending:
            return InstallResult(release, state.previous, False)
        if not options.allow_downgrade:
            _check_age(bundle, root, running)
        if whole:
            options.goldens(bundle)  # the engine may differ from the one when it was staged
        else:
            _stage(bundle, root, release, options, disk)
        return switch(root, release, state, options.health, disk, keep=options.keep)


def _is_whole(root: InstallRoot, release: str, bundle: Bundle) -> bool:
    there = root.open_release(release)
    return there is not None and _same(there, bundle)


def _same(one: Bundle, other: Bundle) -> bool:
    return (one.content, one.signature) == (other.content, other.signature)


def _check_age(bundle: Bundle, root: InstallRoot, running: str | None) -> None:
    """Compare with the running release, or with all kept releases if that is another model."""
    current = root.open_release(running) if running else None
    if current is not None and current.manifest.name == bundle.manifest.name:
        return check_age(bundle.manifest, [current.manifest])
    kept = [root.open_release(release) for release in root.kept_releases()]
    return check_age(bundle.manifest, [each.manifest for each in kept if each is not None])


def _stage(
    bundle: Bundle, root: InstallRoot, release: str, options: InstallOptions, disk: Disk
) -> None:
    """Copy a bundle beside the releases, check the copy, rename it."""
    check_space(bundle.file.size, root.releases, disk)
    incoming = disk.make_temporary(root.releases, UNFINISHED)
    try:
        disk.write(incoming / BUNDLE_NAME, bundle.whole())
        copy = read_bundle(incoming / BUNDLE_NAME)
        if not _same(copy, bundle):
            raise InstallError(f"{bundle.path}: changed while it was copied")
        disk.sync_folder(incoming)
        _replay(copy, bundle.path, options)
        if (root.releases / release).exists():  # damaged, otherwise it would not be staged again
            disk.rename(root.releases / release, root.releases / f"{UNFINISHED}damaged")
        disk.rename(incoming, root.releases / release)
    except (InstallError, BundleError):
        disk.remove(incoming)
        raise


def _replay(copy: Bundle, source: Path, options: InstallOptions) -> None:
    """Check the copy with its golden recording; errors name the bundle given by the user."""
    try:
        options.goldens(copy)
    except InstallError as error:
        raise type(error)(str(error).replace(str(copy.path), str(source))) from error

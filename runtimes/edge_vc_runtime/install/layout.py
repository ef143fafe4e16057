"""Layout of an installation: releases side by side, and a link to the current one."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.install.error import InstallError

DEFAULT_ROOT = Path("/opt/edge-vc")
BUNDLE_NAME = "bundle.evc"
UNFINISHED = ".in-"
"""Prefix of everything unfinished; a later call removes it."""
RELEASE = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,160}-[0-9a-f]{8}"


@dataclass(frozen=True)
class InstallRoot:
    """The folder of an installation."""

    path: Path = DEFAULT_ROOT

    @property
    def releases(self) -> Path:
        """Folder that contains one folder per release."""
        return self.path / "releases"

    @property
    def current(self) -> Path:
        """Link to the current release."""
        return self.path / "current"

    @property
    def state(self) -> Path:
        """File with the history, see `InstallState`."""
        return self.path / "state.json"

    @property
    def lock(self) -> Path:
        """Lock file that allows one installer at a time."""
        return self.path / ".lock"

    def bundle(self, release: str) -> Path:
        """Return the path of a release's bundle."""
        return self.releases / release / BUNDLE_NAME

    def current_release(self) -> str | None:
        """Return the release that `current` points to, None if there is none.

        Raises `InstallError` if `current` was not made by an installer.
        """
        try:
            target = os.readlink(self.current)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InstallError(f"{self.current}: is not a link ({error.strerror})") from error
        found = re.fullmatch(rf"releases/({RELEASE})", target)
        if found is None:
            raise InstallError(f"{self.current}: points to {target!r:.100}, not to a release")
        return found[1]

    def kept_releases(self) -> list[str]:
        """Return the existing releases, sorted by name."""
        try:
            entries = sorted(self.releases.iterdir())
        except OSError:
            return []
        return [path.name for path in entries if re.fullmatch(RELEASE, path.name)]

    def unfinished(self) -> list[Path]:
        """Return leftovers of interrupted calls."""
        return [
            path
            for folder in (self.path, self.releases)
            if folder.is_dir()
            for path in folder.glob(f"{UNFINISHED}*")
        ]

    def open_release(self, release: str) -> Bundle | None:
        """Return a release's fully checked bundle; None if it is missing or damaged."""
        try:
            return read_bundle(self.bundle(release))
        except BundleError:
            return None


def release_name(bundle: Bundle) -> str:
    """Return ``NAME-VERSION-HASH8``; the hash is of the manifest and its signature."""
    digest = hashlib.sha256(bundle.content + (bundle.signature or b"")).hexdigest()
    return f"{bundle.manifest.name}-{bundle.manifest.version}-{digest[:8]}"

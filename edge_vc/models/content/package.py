"""Finds installed packages that carry weights, without importing them, and checks by hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from edge_vc.models.content.encoder import ContentError


def package_folder(package: str) -> Path | None:
    """Return the folder of an installed ``package``, whose code is not run; None without one."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def contents_folder(package: str, contents: str, install: str) -> Path:
    """Return the folder of an installed ``package``, whose code is not run.

    Raises `ContentError` with the line that installs ``install`` where it is missing.
    """
    folder = package_folder(package)
    if folder is None:
        raise ContentError(
            f"contents = \"{contents}\": {package} is not installed: pip install '{install}'"
        )
    return folder


def checked_bytes(
    paths: Sequence[Path], sha256: str, what: str, install: str, error: type[ValueError]
) -> bytes:
    """Return what is in ``paths``, joined, whose ``sha256`` is known.

    Raises ``error`` with one line, which says that it is not ``what`` or that a file is missing,
    and how pip gets ``install`` anew.
    """
    repair = f"pip install --force-reinstall {install}"
    try:
        data = b"".join(path.read_bytes() for path in paths)
    except OSError as failed:
        raise error(f"{failed.filename}: {failed.strerror}; {repair}") from failed
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise error(
            f"{paths[0]}: is not {what} (sha256 {found[:12]}, expected {sha256[:12]}); {repair}"
        )
    return data

"""Weights inside installed packages: located without importing the package, checked by hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

_BLOCK = 1 << 20


def package_folder(package: str, missing: str, error: type[ValueError]) -> Path:
    """Return the folder of an installed ``package`` without running its code.

    Raises ``error`` with the line ``missing`` if it is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise error(missing)
    return Path(next(iter(spec.submodule_search_locations)))


def check_weights(
    paths: Sequence[Path],
    sha256: str,
    what: str,
    install: str,
    error: type[ValueError],
    into: bytearray | None = None,
) -> None:
    """Check that the concatenated ``paths`` have the known ``sha256``; append them to ``into``.

    Raises ``error`` with one line, which says that it is not ``what`` or that a file is missing,
    and how to reinstall ``install`` with pip.
    """
    repair = f"pip install --force-reinstall {install}"
    digest = hashlib.sha256()
    try:
        for path in paths:
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    if into is not None:
                        into += block
    except OSError as failed:
        raise error(f"{failed.filename}: {failed.strerror}; {repair}") from failed
    found = digest.hexdigest()
    if found != sha256:
        raise error(
            f"{paths[0]}: is not {what} (sha256 {found[:12]}, expected {sha256[:12]}); {repair}"
        )


def checked_weights(
    paths: Sequence[Path], sha256: str, what: str, install: str, error: type[ValueError]
) -> bytes:
    """Return the concatenated ``paths``, checked by ``sha256``; raises like `check_weights`."""
    data = bytearray()
    check_weights(paths, sha256, what, install, error, data)
    return bytes(data)

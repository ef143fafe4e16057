"""Finds installed packages that carry weights, without importing them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from edge_vc.models.content.encoder import ContentError


def package_folder(package: str, contents: str, install: str) -> Path:
    """Return the folder of an installed ``package``, whose code is not run.

    Raises `ContentError` with the line that installs ``install`` where it is missing.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ContentError(
            f"contents = \"{contents}\": {package} is not installed: pip install '{install}'"
        )
    return Path(next(iter(spec.submodule_search_locations)))

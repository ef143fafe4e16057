"""The installed package that contains the weights of a content encoder."""

from __future__ import annotations

from pathlib import Path

from edge_vc.models.content.encoder import ContentError
from edge_vc.settings.package import package_folder


def contents_folder(package: str, contents: str, install: str) -> Path:
    """Return the folder of an installed ``package`` without running its code.

    Raises `ContentError` with the line that installs ``install`` if the package is missing.
    """
    missing = f"contents = \"{contents}\": {package} is not installed: pip install '{install}'"
    return package_folder(package, missing, ContentError)

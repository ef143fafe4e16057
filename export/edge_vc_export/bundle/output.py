"""Destination to which a bundle is written or unpacked."""

from __future__ import annotations

import os
from pathlib import Path

from edge_vc_runtime.files.output_kinds import BUNDLE_FILE, FOLDER
from edge_vc_runtime.files.output_place import OutputPlace


class BundlePlace(OutputPlace):
    """``-o`` of `edge-vc export`: a bundle if its name ends in .evc, else a folder."""

    def _check(self, path: str) -> None:
        is_bundle = os.path.splitext(path)[1].lower() in BUNDLE_FILE.suffixes
        (BUNDLE_FILE if is_bundle else FOLDER)._check(path)


BUNDLE_OR_FOLDER = BundlePlace()


def named_bundle(name: str) -> Path:
    """Return the default path of a bundle: ``NAME.evc`` in the working directory.

    Raises `OutputError` if it cannot be written.
    """
    path = Path(f"{name}.evc")
    BUNDLE_OR_FOLDER.check("-o", path)
    return path

"""Where a bundle is written to, or unpacked into."""

from __future__ import annotations

import os

from edge_vc_runtime.files.output_kinds import BUNDLE_FILE, FOLDER
from edge_vc_runtime.files.output_place import OutputPlace


class BundlePlace(OutputPlace):
    """``-o`` of `edge-vc export`: a bundle where its name ends so, else a folder."""

    def _check(self, path: str) -> None:
        is_bundle = os.path.splitext(path)[1].lower() in BUNDLE_FILE.suffixes
        (BUNDLE_FILE if is_bundle else FOLDER)._check(path)


BUNDLE_OR_FOLDER = BundlePlace()

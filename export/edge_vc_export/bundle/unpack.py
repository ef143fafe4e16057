"""Unpack a bundle into plain files."""

from __future__ import annotations

from pathlib import Path

from edge_vc_runtime.bundle.manifest import MANIFEST_NAME, BundleError
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.files.part_folder import new_folder
from edge_vc_runtime.files.writing import write_whole
from edge_vc_runtime.vetting.bundle_check import check_bundle


def unpack(bundle: Path, folder: Path) -> list[Path]:
    """Write a bundle's files, each checked, into a new folder; return their paths.

    Raises `BundleError` for a bad bundle and if the folder is not empty.
    """
    opened = read_bundle(bundle)
    check_bundle(opened)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BundleError(f"{folder}: is there already and not an empty folder; give another")
    files = {MANIFEST_NAME: opened.manifest.to_json()}
    files |= {name: opened.read(name) for name in opened.manifest.files}
    with new_folder(folder) as part:
        for name, data in files.items():
            write_whole(part / name, data)
    return [folder / name for name in files]

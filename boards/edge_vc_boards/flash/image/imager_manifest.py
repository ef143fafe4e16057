"""``NAME.rpi-imager-manifest``, without which Raspberry Pi Imager 2 does not recognise a card."""

from __future__ import annotations

import json
from pathlib import Path

from edge_vc_boards.flash.image.image_copy import ImageDigest
from edge_vc_boards.flash.image.pi_image import PiImage
from edge_vc_runtime.files.writing import write_whole

_DEVICES = ("pi3-64bit", "pi4-64bit", "pi5-64bit")


def manifest_path(card: Path) -> Path:
    """Return the path of a card's manifest."""
    return card.with_name(f"{card.name.removesuffix('.img')}.rpi-imager-manifest")


def write_imager_manifest(card: Path, digest: ImageDigest, image: PiImage, title: str) -> Path:
    """Write the manifest beside a card atomically and return its path."""
    entry = {
        "name": title,
        "description": f"{image.system.name}, with Edge VC",
        "url": card.resolve().as_uri(),
        "extract_size": digest.size,
        "extract_sha256": digest.sha256,
        "image_download_size": digest.size,
        "release_date": image.released,
        "init_format": image.format,
        "architecture": "armv8",
        "devices": list(_DEVICES),
    }
    path = manifest_path(card)
    return write_whole(path, json.dumps({"os_list": [entry]}, indent=2) + "\n")

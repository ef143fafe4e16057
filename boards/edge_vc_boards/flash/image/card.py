"""A card's image: a copy of a stock image, customised, read back, and only then put in place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.board import Board
from edge_vc_boards.flash.image.card_settings import CardSettings
from edge_vc_boards.flash.image.cloud_init_files import cloud_init_files
from edge_vc_boards.flash.image.config_txt import audio_files
from edge_vc_boards.flash.image.error import CardError
from edge_vc_boards.flash.image.fat import file_digest
from edge_vc_boards.flash.image.image_copy import ImageDigest, copy_image, digest_image
from edge_vc_boards.flash.image.imager_manifest import write_imager_manifest
from edge_vc_boards.flash.image.init_format import FormatName
from edge_vc_boards.flash.image.payload import Payload, write_payload
from edge_vc_boards.flash.image.pi_image import PiImage, inspect_image
from edge_vc_boards.flash.image.preseed_files import preseed_files
from edge_vc_boards.flash.image.systemd_files import systemd_files
from edge_vc_runtime.files.error import OutputError
from edge_vc_runtime.files.part_folder import scratch_folder
from edge_vc_runtime.files.writing import replacing_path

Files = dict[str, Path | bytes]
Say = Callable[[str], None]


@dataclass(frozen=True)
class CardRequest:
    """A user's request for a card."""

    image: Path
    """A stock image, ``.img`` or ``.img.xz``."""
    out: Path
    board: Board
    settings: CardSettings
    payload: Callable[[PiImage], Payload]
    """Returns the payload with the wheels for an image's Python."""
    title: str
    """Title of the bundle, for Raspberry Pi Imager."""
    init_format: str | None = None
    """Selects the format if an image has the characteristics of two."""


@dataclass(frozen=True)
class Card:
    """A finished card image."""

    path: Path
    manifest: Path
    format: FormatName
    system: str
    sha256: str
    size: int
    """Bytes."""
    instance: str


def make_card(request: CardRequest, say: Say = lambda line: None) -> Card:
    """Write ``request.out`` and its manifest for Raspberry Pi Imager.

    Either both are complete and read back, or existing files are untouched. Raises `CardError`.
    """
    _check_paths(request)
    try:
        # It contains a password hash and the network's key.
        with replacing_path(request.out, 0o600) as part:
            image, after, instance = _customised(request, part, say)
        manifest = write_imager_manifest(request.out, after, image, request.title)
    except OutputError as error:
        raise CardError(f"--out {error}") from error
    return Card(
        request.out, manifest, image.format, image.system.key, after.sha256, after.size, instance
    )


def _customised(request: CardRequest, part: Path, say: Say) -> tuple[PiImage, ImageDigest, str]:
    """Copy the stock image to ``part`` and put the card's files into it, both read back."""
    say(f"copying {request.image.name}")
    written = copy_image(request.image, part)
    with _named(request.image):
        image = inspect_image(part, request.board, request.init_format)
    say(f"{image.system.name} of {image.released}, customised with {image.format}")
    before = digest_image(part, image.boot.partition)
    if before.sha256 != written:
        raise CardError(f"{request.out}: reads back differently than written; a bad disk?")
    with scratch_folder(request.out.parent) as folder:
        files, instance = _card_files(request, image, folder)
        with _named(request.image):
            return image, _write(image, files, before), instance


def _card_files(request: CardRequest, image: PiImage, folder: Path) -> tuple[Files, str]:
    payload = request.payload(image)
    files = write_payload(payload, folder)
    seed = hashlib.sha256(repr(request.settings).encode())
    for name in sorted(files):
        seed.update(f"{name} {file_digest(files[name])}\n".encode())
    instance = f"edge-vc-{seed.hexdigest()[:20]}"
    match image.format:
        case "systemd":
            files |= systemd_files(request.settings, image.cmdline)
        case "cloudinit-rpi":
            files |= cloud_init_files(request.settings, image.cmdline, instance)
        case "rpi-preseed":
            files |= preseed_files(request.settings)
    with _named(request.image):
        return files | audio_files(image.boot, payload.audio), instance


def _write(image: PiImage, files: Files, before: ImageDigest) -> ImageDigest:
    expected = image.boot.hashes()
    image.boot.write(files)
    after = digest_image(image.boot.image, image.boot.partition)
    found = image.boot.hashes()
    expected |= {name: file_digest(data) for name, data in files.items()}
    wrong = sorted(name for name in expected | found if expected.get(name) != found.get(name))
    if wrong or after.outside != before.outside or after.size != before.size:
        what = f"{wrong[0]} on its boot partition" if wrong else "outside its boot partition"
        raise CardError(f"reads back differently than written ({what})")
    return after


def _check_paths(request: CardRequest) -> None:
    image, out = request.image, request.out
    if not image.is_file():
        raise CardError(f"--image {image}: is not a file (a device is never read or written here)")
    if out.exists() and (not out.is_file() or out.samefile(image)):
        raise CardError(f"--out {out}: has to be a new file or one of an earlier card")
    if not out.parent.is_dir():
        raise CardError(f"--out {out}: its folder does not exist")


class _named:  # noqa: N801
    """Prefixes errors with an image's name."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, CardError):
            raise CardError(f"{self._path}: {error}") from error

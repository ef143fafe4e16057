"""A card's payload: wheels, bundle, signer and service in one reproducible archive."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.flash.audio_setup import AudioSetup
from edge_vc_boards.flash.image.first_boot import (
    AUDIO_SCRIPT,
    PAYLOAD,
    USER_SCRIPT,
    first_boot_files,
)
from edge_vc_boards.flash.image.host_tool import FIXED_TIME
from edge_vc_boards.flash.remote_scripts import script_text
from edge_vc_boards.flash.wheel_choice import CarriedWheels
from edge_vc_boards.wheels.wheel_list import REQUIREMENTS
from edge_vc_runtime.install.unit import UNIT_NAME, ServiceUnit


@dataclass(frozen=True)
class Payload:
    """What is installed on the first boot."""

    bundle: Path
    wheels: CarriedWheels
    signer: str = ""
    """Line for ``allowed_signers``; empty for no signer."""
    run_arguments: tuple[str, ...] = ()
    """Arguments of the service's ``edge-vc-rt run``."""
    audio: AudioSetup | None = None
    """Setup of the sound cards; None changes nothing."""


def write_payload(payload: Payload, folder: Path) -> dict[str, Path | bytes]:
    """Write the archive into ``folder``; return the card's files by name, with script and checksum.

    Raises `InstallError` for arguments that cannot be written in a unit.
    """
    files: dict[str, Path | bytes] = {
        "bundle.evc": payload.bundle,
        REQUIREMENTS: payload.wheels.requirements,
        USER_SCRIPT: script_text("user").encode(),
        UNIT_NAME: ServiceUnit(arguments=payload.run_arguments).text().encode(),
        "venv-id": f"{payload.wheels.id}\n".encode(),
    }
    if payload.signer:
        files["allowed_signers"] = f"{payload.signer}\n".encode()
    if payload.audio:
        files[AUDIO_SCRIPT] = script_text("audio").encode()
        files["audio-overlays"] = "\n".join(payload.audio.overlays).encode()
        files["audio-rules"] = "\n".join(payload.audio.rules).encode()
    for wheel in payload.wheels.listed.wheels:
        files[f"wheels/{wheel.file}"] = payload.wheels.folder / wheel.file
    archive = folder / PAYLOAD
    _write_tar(archive, files)
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {PAYLOAD: archive, **first_boot_files(digest)}


def _write_tar(archive: Path, files: dict[str, Path | bytes]) -> None:
    hashes = []
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(files):
            source = files[name]
            data = source if isinstance(source, bytes) else source.read_bytes()
            hashes.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
            _add(tar, name, data)
        _add(tar, "hashes", "".join(hashes).encode())


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = len(data), FIXED_TIME, 0o644
    tar.addfile(member, io.BytesIO(data))

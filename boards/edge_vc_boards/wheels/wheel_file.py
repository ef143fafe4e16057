"""Wheels written here: the same content gives the same bytes."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_vc_runtime.files.writing import replacing

_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class WheelName:
    """The parts of a wheel's file name."""

    project: str
    """Project name, with underscores instead of hyphens."""
    version: str
    tag: str
    """Python, ABI and platform, e.g. ``py3-none-any``."""
    build: str = ""
    """Build number, to distinguish wheels of the same version; empty for none."""

    @property
    def file(self) -> str:
        """The file name."""
        parts = (self.project, self.version, self.build, self.tag)
        return "-".join(filter(None, parts)) + ".whl"

    @property
    def info(self) -> str:
        """The metadata folder in the wheel."""
        return f"{self.project}-{self.version}.dist-info"


def write_wheel(folder: Path, name: WheelName, files: Mapping[str, bytes]) -> Path:
    """Write a wheel with ``files``, by their path in it, and return its path.

    ``files`` has to hold ``METADATA`` in `WheelName.info`; ``WHEEL`` and ``RECORD`` are added.
    """
    purelib = "true" if name.tag.endswith("-none-any") else "false"
    build = f"Build: {name.build}\n" if name.build else ""
    wheel = (
        f"Wheel-Version: 1.0\nGenerator: edge-vc\nRoot-Is-Purelib: {purelib}\n{build}"
        f"Tag: {name.tag}\n"
    )
    content = {**dict(sorted(files.items())), f"{name.info}/WHEEL": wheel.encode()}
    record = [f"{path},{_digest(data)},{len(data)}" for path, data in content.items()]
    listing = f"{name.info}/RECORD"
    content[listing] = "\n".join([*record, f"{listing},,", ""]).encode()
    path = folder / name.file
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in content.items():
            entry = zipfile.ZipInfo(member, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return path


def _digest(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"sha256={digest.rstrip(b'=').decode()}"

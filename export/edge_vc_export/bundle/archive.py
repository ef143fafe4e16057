"""A bundle's archive: reproducible bytes, written completely or not at all."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from edge_vc_runtime.bundle.reader import BundleError, read_bundle
from edge_vc_runtime.files.writing import replacing_path


def archive_bytes(members: Mapping[str, bytes]) -> bytes:
    """Return a ustar archive of ``members`` in their order, without times or owners."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(data), 0o644, 0
            archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def commit_bundle(path: Path, data: bytes) -> Path:
    """Write ``data`` next to ``path``, read it back as a bundle, then rename it; return ``path``.

    Raises `BundleError` if it cannot be written or no reader would accept it; an existing file at
    ``path`` is then kept.
    """
    try:
        with replacing_path(path) as part:
            part.write_bytes(data)
            read_bundle(part)
    except OSError as error:
        raise BundleError(f"{path}: cannot be written ({error.strerror or error})") from error
    return path

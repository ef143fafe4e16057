"""Reading a bundle (`.evc`): only files that its manifest lists and whose hash matches."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.bundle.archive import Member, chunks, walk
from edge_vc_runtime.bundle.manifest import MANIFEST_NAME, SIGNATURE_NAME, BundleError, Manifest

__all__ = ["Bundle", "BundleError", "read_bundle"]

GOLDEN_LIMIT = 1 << 26
"""Largest golden recording in bytes, unpacked: its input and an output per precision."""


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files have all been checked against the manifest."""

    path: Path
    manifest: Manifest
    members: Mapping[str, Member]
    content: bytes = b""
    """The manifest as it was read: what a signature covers."""
    signature: bytes | None = None
    """The armoured SSH signature, not checked; None in a bundle without one."""

    def tier(self, name: str | None = None) -> Bundle:
        """Return the bundle as if it held one tier alone, the default one where ``name`` is None.

        Raises `BundleError` for a tier that is not there.
        """
        try:
            return replace(self, manifest=self.manifest.tier(name))
        except BundleError as error:
            raise BundleError(f"{self.path}: {error}") from error

    def read(self, name: str) -> bytes:
        """Return one listed file's bytes, hashed again as they are read.

        Raises `BundleError` when the file is not listed or has changed since the bundle was opened.
        """
        with _opened(self.path) as file:
            return self._read(file, name)

    def golden(self) -> dict[str, NDArray[np.float32]]:
        """Return the golden arrays, ``input [N]`` and ``output.<precision> [N]``.

        Raises `BundleError` when there are none or they are not float32 vectors of one length.
        """
        if self.manifest.golden is None:
            raise BundleError(f"{self.path}: has no golden recording")
        name = self.manifest.golden.file
        data = self.read(name)
        _check_golden_size(f"{self.path}: {name}", data)
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                arrays = {key: np.asarray(archive[key]) for key in archive.files}
        except Exception as error:  # numpy and zipfile raise a dozen kinds for a bad archive
            raise BundleError(f"{self.path}: {name}: is not a plain npz file") from error
        shapes = {array.shape for array in arrays.values()}
        floats = all(array.dtype == np.float32 for array in arrays.values())
        if "input" not in arrays or len(shapes) != 1 or not floats or arrays["input"].ndim != 1:
            raise BundleError(f"{self.path}: {name}: has to hold float32 vectors of one length")
        return arrays

    def _read(self, file: BinaryIO, name: str) -> bytes:
        entry = self.manifest.files.get(name)
        if entry is None:
            raise BundleError(f"{name!r} is not in the bundle")
        data = b"".join(chunks(file, self.members[name]))
        _check_hash(name, entry.sha256, hashlib.sha256(data))
        return data


def read_bundle(path: str | Path) -> Bundle:
    """Open a bundle and check every byte of it.

    Raises `BundleError`, one line with the file and the reason, when it is not a bundle, is
    truncated or damaged, holds files that are not listed, or has a later format version.
    """
    path = Path(path)
    with _opened(path) as file:
        members = walk(file, file.seek(0, io.SEEK_END))
        content = b"".join(chunks(file, members[MANIFEST_NAME]))
        manifest = Manifest.from_json(content)
        _check_listing(manifest, members)
        for name, entry in manifest.files.items():
            digest = hashlib.sha256()
            for chunk in chunks(file, members[name]):
                digest.update(chunk)
            _check_hash(name, entry.sha256, digest)
        signed = members.get(SIGNATURE_NAME)
        signature = b"".join(chunks(file, signed)) if signed else None
    return Bundle(path, manifest, members, content, signature)


def _check_golden_size(place: str, data: bytes) -> None:
    """Refuse an archive whose arrays are large: a file of kilobytes can hold gigabytes of zeros."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError) as error:
        raise BundleError(f"{place}: is not a plain npz file") from error
    if size > GOLDEN_LIMIT:
        raise BundleError(f"{place}: {size} bytes of arrays, at most {GOLDEN_LIMIT} are allowed")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open for reading; prefix every error inside with the bundle's path."""
    try:
        if path.exists() and not path.is_file():
            raise BundleError("is not a file")
        with path.open("rb") as file:
            yield file
    except BundleError as error:
        raise BundleError(f"{path}: {error}") from error
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:  # a NUL in the path
        raise BundleError(f"{str(path)!r}: {error}") from error


def _check_listing(manifest: Manifest, members: Mapping[str, Member]) -> None:
    present = set(members) - {MANIFEST_NAME, SIGNATURE_NAME}
    for name in sorted(present - set(manifest.files)):
        raise BundleError(f"{name!r} is not listed in {MANIFEST_NAME}")
    for name, entry in manifest.files.items():
        if name not in present:
            raise BundleError(f"{name!r} is listed but missing")
        if members[name].size != entry.size:
            raise BundleError(
                f"{name}: {members[name].size} bytes, {MANIFEST_NAME} says {entry.size}"
            )


def _check_hash(name: str, listed: str, digest: hashlib._Hash) -> None:
    if digest.hexdigest() != listed:
        raise BundleError(f"{name}: damaged, its sha256 is not the one in {MANIFEST_NAME}")

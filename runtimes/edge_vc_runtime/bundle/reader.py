"""Reading a bundle (`.evc`): only files that are listed in its manifest with a matching hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.bundle.archive import Member, chunks, walk
from edge_vc_runtime.bundle.descriptor import Descriptor
from edge_vc_runtime.bundle.golden_file import read_golden
from edge_vc_runtime.bundle.manifest import MANIFEST_NAME, SIGNATURE_NAME, BundleError, Manifest

__all__ = ["Bundle", "BundleError", "read_bundle"]


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files have all been checked against the manifest."""

    path: Path
    """Path when it was opened; there may be a different file by now."""
    manifest: Manifest
    members: Mapping[str, Member]
    file: Descriptor
    content: bytes = b""
    """The manifest as read: the bytes that a signature covers."""
    signature: bytes | None = None
    """The armoured SSH signature, unverified; None in a bundle without one."""

    def tier(self, name: str | None = None) -> Bundle:
        """Return the bundle reduced to a single tier, the default one if ``name`` is None.

        Raises `BundleError` for an unknown tier.
        """
        try:
            return replace(self, manifest=self.manifest.tier(name))
        except BundleError as error:
            raise BundleError(f"{self.path}: {error}") from error

    def read(self, name: str) -> bytes:
        """Return one listed file's bytes, hashed again while reading.

        Raises `BundleError` if the file is not listed or has changed since the bundle was opened.
        """
        entry = self.manifest.files.get(name)
        with _named(self.path):
            if entry is None:
                raise BundleError(f"{name!r} is not in the bundle")
            data = b"".join(chunks(self.file, self.members[name]))
            _check_hash(name, entry.sha256, hashlib.sha256(data))
        return data

    def whole(self) -> Iterator[bytes]:
        """Yield the bundle's own bytes in chunks, for copying."""
        with _named(self.path):
            yield from chunks(self.file, Member(self.path.name, 0, self.file.size))

    def golden(self) -> dict[str, NDArray[np.float32]]:
        """Return the golden arrays, ``input [N]`` and ``output.<precision> [N]``.

        Raises `BundleError` if there are none or they are not float32 vectors of equal length.
        """
        golden = self.manifest.golden
        with _named(self.path):
            if golden is None:
                raise BundleError("has no golden recording")
        data = self.read(golden.file)
        with _named(f"{self.path}: {golden.file}"):
            return read_golden(data)


def read_bundle(path: str | Path) -> Bundle:
    """Open a bundle and check every byte of it.

    Raises `BundleError`, one line with the file and the reason, if it is not a bundle, is
    truncated or damaged, contains unlisted files, or has a later format version.
    """
    path = Path(path)
    with _named(path):
        file = Descriptor(path)
        members = walk(file)
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
    return Bundle(path, manifest, members, file, content, signature)


@contextmanager
def _named(place: Path | str) -> Iterator[None]:
    """Prefix every error in the block with its location."""
    try:
        yield
    except BundleError as error:
        raise BundleError(f"{place}: {error}") from error
    except OSError as error:
        raise BundleError(f"{place}: {error.strerror or error}") from error
    except ValueError as error:  # a NUL in the path
        raise BundleError(f"{str(place)!r}: {error}") from error


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

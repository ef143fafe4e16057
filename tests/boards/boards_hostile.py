"""Bundles that a stranger might send, made of a good and signed one, by name."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

from runtime_bundles import archive, member

from edge_vc_runtime.bundle.reader import read_bundle


def _members(bundle: Path) -> dict[str, bytes]:
    with tarfile.open(bundle) as opened:
        files = [(info, opened.extractfile(info)) for info in opened]
        return {info.name: file.read() for info, file in files if file is not None}


def _written(path: Path, files: dict[str, bytes], *more: bytes) -> Path:
    path.write_bytes(archive(*(member(name, data) for name, data in files.items()), *more))
    return path


def _cut_off(bundle: Path, path: Path) -> Path:
    path.write_bytes(bundle.read_bytes()[: bundle.stat().st_size // 2])
    return path


def _one_byte(bundle: Path, path: Path) -> Path:
    files = _members(bundle)
    name = read_bundle(bundle).manifest.default
    changed = bytearray(files[name])
    changed[len(changed) // 2] ^= 1
    return _written(path, files | {name: bytes(changed)})


def _leaves_the_folder(bundle: Path, path: Path) -> Path:
    return _written(path, _members(bundle), member("../../etc/cron.d/x", b"* * * * * root x\n"))


def _link(bundle: Path, path: Path) -> Path:
    return _written(path, _members(bundle), member("model.link", kind=tarfile.SYMTYPE))


def _key_twice(bundle: Path, path: Path) -> Path:
    files = _members(bundle)
    files["manifest.json"] = b'{"name": "other",' + files["manifest.json"].lstrip()[1:]
    return _written(path, files)


def _other_version(bundle: Path, path: Path) -> Path:
    """The manifest after its signature was made."""
    files = _members(bundle)
    files["manifest.json"] = files["manifest.json"].replace(b'"version": "', b'"version": "9')
    return _written(path, files)


def _deep(bundle: Path, path: Path) -> Path:
    return _written(path, _members(bundle) | {"manifest.json": b"[" * 100_000})


HOSTILE: dict[str, Callable[[Path, Path], Path]] = {
    "cut off": _cut_off,
    "one byte of the graph": _one_byte,
    "leaves the folder": _leaves_the_folder,
    "link": _link,
    "key twice": _key_twice,
    "version after signing": _other_version,
    "nested deeply": _deep,
}

"""Writes an executable file: an archive that Python runs, with wheels and a bundle inside.

It begins with shell code that checks whether the file is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from edge_vc_boards.flash.app.entry import LIST
from edge_vc_boards.flash.carried_systems import CarriedSystem
from edge_vc_boards.flash.error import FlashError
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.files.writing import replacing_path

_START = """#!/bin/sh
want={size:<15}
have=$(wc -c <"$0") || exit 2
[ "$have" -ne "$want" ] || exec python3 "$0" "$@"
echo "${{0##*/}}: error: has $have bytes, not $want: cut short or changed; copy it again" >&2
exit 2
"""
"""Run by a shell: Python treats a truncated archive as a script with a syntax error."""
_TIME = (1980, 1, 1, 0, 0, 0)


def write_app(out: Path, arch: str, targets: Sequence[CarriedSystem], bundle: Bundle) -> list[str]:
    """Write the file atomically; the same content gives the same bytes.

    Wheels shared by several Pythons are stored once. Returns the Python versions it supports.
    Raises `FlashError` if it cannot be written.
    """
    data = bundle.path.read_bytes()
    rows = {target.wheels.listed.python: _row(target, data) for target in targets}
    manifest = bundle.manifest
    listed = {
        "format": 1,
        "arch": arch,
        "bundle": {
            "name": f"{manifest.name} {manifest.version}",
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
        },
        "targets": [rows[python] for python in rows],
    }
    entry = resources.files("edge_vc_boards") / "flash" / "app" / "entry.py"
    members: dict[str, bytes | Path] = {
        "__main__.py": entry.read_bytes(),
        LIST: json.dumps(listed, indent=1).encode(),
        "bundle.evc": data,
    }
    for target in targets:
        for wheel in target.wheels.listed.wheels:
            members[f"wheels/{wheel.file}"] = target.wheels.folder / wheel.file
    try:
        _write(out, members)
    except OSError as error:
        raise FlashError(f"--bundle-app {out}: {error.strerror or error}") from error
    return list(rows)


def _row(target: CarriedSystem, bundle: bytes) -> dict[str, object]:
    """Return the file's entry for a system; ``id`` names the folder it is unpacked to."""
    wheels = target.wheels.listed.wheels
    names = [f"{wheel.sha256} {wheel.file}" for wheel in wheels]
    text = "\n".join([target.wheels.listed.python, hashlib.sha256(bundle).hexdigest(), *names])
    return {
        "python": target.wheels.listed.python,
        "glibc": target.system.glibc,
        "id": hashlib.sha256(text.encode()).hexdigest()[:32],
        "unpacked": sum(_unpacked(target.wheels.folder / wheel.file) for wheel in wheels),
        "wheels": [{"file": wheel.file, "sha256": wheel.sha256} for wheel in wheels],
    }


def _unpacked(wheel: Path) -> int:
    with zipfile.ZipFile(wheel) as opened:
        return sum(member.file_size for member in opened.infolist())


def _write(out: Path, members: dict[str, bytes | Path]) -> None:
    with replacing_path(out) as part:
        with part.open("wb") as file:
            file.write(_START.format(size=0).encode())
            with zipfile.ZipFile(file, "a", zipfile.ZIP_STORED) as archive:
                for name in members:
                    content = members[name]
                    info = zipfile.ZipInfo(name, _TIME)
                    info.external_attr = 0o644 << 16
                    data = content if isinstance(content, bytes) else content.read_bytes()
                    archive.writestr(info, data)
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            file.write(_START.format(size=size).encode())
        part.chmod(0o755)

"""Installed distributions by their folder names: the information needed at start-up.

`importlib.metadata` loads an e-mail parser and reads every distribution: 25 to 80 ms at start-up on
a desktop, ten times that on a small board. It is only used if folder names are not sufficient.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

_FOLDER = re.compile(r"([^-]+)-([^-]+)(?:-py\d[\d.]*)?\.(dist|egg)-info")
_CONTENTS = {"dist": "METADATA", "egg": "PKG-INFO"}


def distribution_version(name: str) -> str | None:
    """Return the version of an installed distribution, None if it is not installed."""
    wanted = _normalized(name)
    for project, version, _ in _folders():
        if _normalized(project) == wanted:
            return version
    if not _archives():
        return None
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def declares_entry_points(group: str) -> bool:
    """Return whether any distribution may have entry points in a group."""
    heading = f"[{group}]".encode()
    for _, _, folder in _folders():
        try:
            with open(os.path.join(folder, "entry_points.txt"), "rb") as file:
                if heading in file.read():
                    return True
        except OSError:
            continue  # most have none
    return _archives()


def _folders() -> Iterator[tuple[str, str, str]]:
    """Yield name, version and folder of every distribution; the first one of a name is used."""
    for place in filter(os.path.isdir, map(os.path.abspath, sys.path)):
        for entry in os.listdir(place):
            match = _FOLDER.fullmatch(entry)
            if match is None:
                continue
            folder = os.path.join(place, entry)
            contents = os.path.join(folder, _CONTENTS[match[3]])
            if os.path.isfile(contents) or (match[3] == "egg" and os.path.isfile(folder)):
                yield match[1], match[2], folder  # otherwise a leftover of a removed one


def _archives() -> bool:
    """Return whether modules are imported from archives, which only the library can inspect."""
    return any(os.path.isfile(place) for place in sys.path)


def _normalized(name: str) -> str:
    """Return a distribution's name as normalised by packaging tools."""
    return re.sub(r"[-_.]+", "-", name).lower()

"""The files that ship with the package: weights, bundles, the target's centroid."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

ASSETS = Path(__file__).parent
"""Folder of the shipped files."""
DEFAULT_WEIGHTS = ASSETS / "kathleen-teacher.safetensors"
"""Weights of the shipped teacher."""
CONTENTS_WEIGHTS = ASSETS / "contents.safetensors"
"""Weights of the shipped content encoder, `edge_vc.models.content.distilled`."""


class UnknownBundleError(ValueError):
    """A name of no shipped bundle; the message is one line that lists the names."""


def bundle_names() -> tuple[str, ...]:
    """Return the names of the shipped bundles, sorted."""
    return tuple(sorted(path.stem for path in ASSETS.glob("*.evc")))


def bundle_path(name: str) -> Path:
    """Return the path of a shipped bundle, e.g. ``kathleen-base``; raises `UnknownBundleError`."""
    names = bundle_names()
    if name not in names:
        near = get_close_matches(name, names, n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise UnknownBundleError(
            f"{name}: no such file or shipped bundle; {guess}shipped are {', '.join(names)}"
        )
    return ASSETS / f"{name}.evc"


def find_bundle(given: str) -> Path:
    """Return the path for a user's argument: an existing file of that name, or a shipped bundle.

    Anything with a suffix or a folder (``my.evc``, ``out/my``) is a path and is returned unchanged.
    Raises `UnknownBundleError`.
    """
    path = Path(given)
    if path.suffix or len(path.parts) != 1 or path.exists():
        return path
    return bundle_path(given)

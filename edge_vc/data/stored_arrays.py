"""Cached arrays on disk, used only if they are intact and their inputs are unchanged.

Every file contains a description of its inputs and a hash of its arrays, both checked when it is
read. An emptied, truncated, damaged or outdated file counts as missing.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.files.writing import write_whole

Arrays = Mapping[str, np.ndarray[Any, Any]]
MADE_OF, SHA256 = "made_of", "sha256"
"""Names of the two texts stored with the arrays."""
_DAMAGED = (
    OSError, ValueError, KeyError, EOFError, TypeError, NotImplementedError, MemoryError,
    zipfile.BadZipFile, zlib.error, struct.error, RuntimeError,
)  # fmt: skip
"""What numpy and zipfile raise for damaged files."""


class StoredArraysError(ValueError):
    """A damaged cache file; the message is one line with the way out."""


def arrays_hash(arrays: Arrays, made_of: str) -> str:
    """Return the sha256 over names, types, shapes and values, and what they were made of."""
    digest = hashlib.sha256(made_of.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def store_arrays(path: Path, arrays: Arrays, made_of: str = "") -> Path:
    """Write an ``.npz`` file of ``arrays`` that records what it was made of."""
    texts = {MADE_OF: np.array(made_of), SHA256: np.array(arrays_hash(arrays, made_of))}
    content = io.BytesIO()
    np.savez(content, **arrays, **texts)  # type: ignore[arg-type]  # its stub has one flag more
    write_whole(path, content.getvalue())
    return path


def stored_arrays(path: Path, made_of: str | None = None) -> dict[str, NDArray[Any]] | None:
    """Return what `store_arrays` wrote; None if it is missing, damaged or made of something else.

    With ``made_of`` None, anything is accepted.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        said, sha256 = str(arrays.pop(MADE_OF)), str(arrays.pop(SHA256))
        if made_of not in (None, said) or arrays_hash(arrays, said) != sha256:
            return None
    except _DAMAGED:
        return None
    return arrays


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return what `store_arrays` wrote; raises `StoredArraysError` if it is damaged."""
    arrays = stored_arrays(path)
    if arrays is None:
        raise StoredArraysError(f"{path}: is missing or damaged; run the same command again")
    return arrays


def stored_hash(path: Path) -> str:
    """Return the hash stored in a file, unchecked; empty if there is none."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            return str(stored[SHA256])
    except _DAMAGED:
        return ""

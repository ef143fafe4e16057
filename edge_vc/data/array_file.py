"""Arrays in files: whole or not there, and the same bytes for the same arrays."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.files.writing import write_whole


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write an ``.npz`` file; raises `OutputError`."""
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]  # its stub takes any keyword for a flag
    return write_whole(path, content.getvalue())


def save_array(path: Path, array: NDArray[Any]) -> Path:
    """Write an ``.npy`` file; raises `OutputError`."""
    content = io.BytesIO()
    np.save(content, array)
    return write_whole(path, content.getvalue())

"""Weights files: opened under any name that a file system allows, and identified by their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import safe_open


@contextmanager
def opened_weights(path: str | Path) -> Iterator[Any]:
    """Open a safetensors file as `safetensors.safe_open` does, which accepts only UTF-8 names.

    A file with another name is opened here and passed as a descriptor. Raises as `safe_open` does.
    """
    name = str(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        with (
            Path(path).open("rb") as held,
            safe_open(f"/proc/self/fd/{held.fileno()}", "pt") as file,
        ):
            yield file
        return
    with safe_open(name, "pt") as file:
        yield file


def weights_hash(path: str | Path) -> str:
    """Return the SHA-256 of a weights file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()

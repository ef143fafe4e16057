"""Write pieces to disk, each completely or not at all."""

from __future__ import annotations

from pathlib import Path

from edge_vc.audio.io import Samples, write_audio
from edge_vc.prepare.settings import SAMPLE_RATE, PrepareError


def write_piece(root: Path, name: str, samples: Samples, audio_format: str) -> str:
    """Write ``[T]``, completely or not at all, and return its path relative to ``root``.

    Raises `PrepareError` on failure, for instance if the disk is full.
    """
    path = root / f"{name}.{audio_format}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_audio(path, samples, SAMPLE_RATE)
    except OSError as error:
        raise PrepareError(f"{path}: not written: {error.strerror or error}") from error
    return path.relative_to(root).as_posix()

"""Pieces on disk, complete or not there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import soundfile

from edge_vc.audio.io import Samples, write_audio
from edge_vc.prepare.settings import SAMPLE_RATE, PrepareError


def write_piece(root: Path, name: str, samples: Samples, audio_format: str) -> str:
    """Write ``[T]``, complete or not at all, and return its path relative to ``root``.

    Raises `PrepareError` when it cannot, on a full disk for instance.
    """
    path = root / f"{name}.{audio_format}"
    path.parent.mkdir(parents=True, exist_ok=True)
    short = hashlib.sha256(path.name.encode()).hexdigest()[:16]
    part = path.with_name(f".{short}.part.{audio_format}")
    try:
        write_audio(part, samples, SAMPLE_RATE)
        os.replace(part, path)
    except soundfile.LibsndfileError as error:
        raise PrepareError(f"{path}: not written ({error}); is the disk full?") from error
    finally:
        part.unlink(missing_ok=True)
    return path.relative_to(root).as_posix()

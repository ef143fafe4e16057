"""Folders of noise recordings and room impulse responses: list the usable files, note oddities."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from edge_vc.audio.io import AudioError, open_audio, read_blocks
from edge_vc.audio.scan import AudioScan, LeftOut, scan_audio
from edge_vc_runtime.audio.file_source import reading_notice

NOISE_FOLDERS = ("noise", "rir")
"""Subfolders of noise recordings and of room impulse responses, if one folder holds both."""
_BLOCK_FRAMES = 1 << 16


def scan_noises(folder: Path) -> AudioScan:
    """List the recordings of a folder, leaving out those whose beginning cannot be read."""
    found = scan_audio(folder)
    faults = [(path, _fault(path)) for path in found.files]
    bad = [LeftOut(path, "unreadable", fact) for path, fact in faults if fact]
    good = tuple(path for path, fact in faults if not fact)
    return replace(found, files=good, left_out=(*found.left_out, *bad))


def noise_notices(folder: Path) -> list[str]:
    """Return a line for each recording of a folder left out or not read exactly as stored."""
    if not folder.is_dir():
        return []
    found = scan_noises(folder)
    odd = [notice for path in found.files if (notice := reading_notice(path))]
    return [*(item.notice for item in found.left_out), *odd]


def _fault(path: Path) -> str:
    """Return why a file cannot be used; empty if it can."""
    try:
        reader = open_audio(path)
        try:
            block = next(read_blocks(reader, _BLOCK_FRAMES), None)
        finally:
            reader.close()
    except AudioError as error:
        return str(error).removeprefix(f"{path}: ")
    if block is None or not block.shape[0]:
        return "holds no samples"
    return "" if np.isfinite(block).all() else "holds NaN or infinity"

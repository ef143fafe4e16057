"""Augmented copies of a piece."""

from __future__ import annotations

from pathlib import Path

from edge_vc.audio.io import Samples
from edge_vc.prepare.settings import PrepareSettings


def write_variants(
    root: Path, name: str, samples: Samples, settings: PrepareSettings
) -> tuple[str, ...]:
    """Write ``settings.variants`` copies of ``[T]`` and return their paths."""
    return ()

"""What ships with the package: weights, bundles, the target's centroid."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).parent
"""Folder of the shipped files."""
DEFAULT_WEIGHTS = ASSETS / "kathleen-teacher.safetensors"
"""Of the teacher that ships."""

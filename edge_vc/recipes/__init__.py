"""Recipes that ship with the package: ``NAME.toml`` for `compress`, ``teachers/``, ``voices/``."""

from __future__ import annotations

from pathlib import Path

RECIPES = Path(__file__).parent
"""Folder of the shipped recipes."""

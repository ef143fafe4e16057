"""Compress a teacher into a small student: recipe, stages, run folder.

>>> from edge_vc.compress import compress, load_recipe
>>> result = compress(load_recipe("base"), "build/run")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_vc.compress.pipeline.stage import LimitError
    from edge_vc.compress.recipe import Recipe, load_recipe, shipped_recipes
    from edge_vc.compress.run import compress
    from edge_vc.settings.field import RecipeError

__all__ = ["LimitError", "Recipe", "RecipeError", "compress", "load_recipe", "shipped_recipes"]

_HOMES = {
    "LimitError": "edge_vc.compress.pipeline.stage",
    "Recipe": "edge_vc.compress.recipe",
    "RecipeError": "edge_vc.settings.field",
    "compress": "edge_vc.compress.run",
    "load_recipe": "edge_vc.compress.recipe",
    "shipped_recipes": "edge_vc.compress.recipe",
}


def __getattr__(name: str) -> Any:
    """Import a name on first access; `compress` also imports torch."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

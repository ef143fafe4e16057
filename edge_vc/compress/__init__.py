"""From a teacher to a small student: recipe, stages, run folder.

>>> from edge_vc.compress import compress, load_recipe
>>> result = compress(load_recipe("base"), "build/run")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_vc.compress.field import RecipeError
from edge_vc.compress.recipe import Recipe, load_recipe, shipped_recipes
from edge_vc.compress.stage import LimitError

if TYPE_CHECKING:
    from edge_vc.compress.stages import compress

__all__ = ["LimitError", "Recipe", "RecipeError", "compress", "load_recipe", "shipped_recipes"]


def __getattr__(name: str) -> Any:
    """Load `compress`, and torch with it, when it is first asked for."""
    if name == "compress":
        from edge_vc.compress.stages import compress

        return compress
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Packages that only measuring needs, imported when a measurement starts."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class EvaluationError(ValueError):
    """An evaluation that cannot be made; the message is one line with the fact and the fix."""


def require(module: str, extra: str = "evaluate") -> Any:
    """Import a module of an extra, or raise with the line that installs it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise EvaluationError(
            f"evaluation needs {error.name}: pip install 'edge-vc[{extra}]'"
        ) from error

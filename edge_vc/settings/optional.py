"""Optional packages needed only for evaluation, imported when it starts."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class EvaluationError(ValueError):
    """An evaluation that is not possible; a one-line message with the cause and the fix."""


def require(module: str, extra: str = "evaluate") -> Any:
    """Import a module of an extra, or raise `EvaluationError` with the install command."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise EvaluationError(
            f"evaluation needs {error.name}: pip install 'edge-vc[{extra}]'"
        ) from error

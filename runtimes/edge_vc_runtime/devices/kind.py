"""A sound back end as data: everything that the rest of the project needs to know about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from edge_vc_runtime.devices.backend import Backend


@dataclass(frozen=True)
class BackendKind:
    """A back end that may or may not be installed."""

    name: str
    """Its name for ``--backend``."""
    usage: str
    """Its description in the help, a few words."""
    open: Callable[[float | None], Backend]
    """Imports its library and opens it with the latency in ms to request from the card, or None for
    its own choice. Raises `ImportError` or `OSError` if the library is missing, `DeviceError` if it
    cannot set a latency."""
    extra: str = ""
    """Extra of edge-vc-runtime that installs it; empty for one from another distribution."""
    remedy: str = ""
    """What to do if it is missing; by default the pip command for ``extra``."""
    hint: str = ""
    """What the extra needs besides pip, in brackets after the command."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", self.name) or self.name == "auto":
            raise ValueError(f"a back end cannot be called {self.name!r:.60}")
        if not self.extra and not self.remedy:
            raise ValueError(f"back end {self.name}: give an extra, or a remedy")

    def missing(self, error: Exception) -> str:
        """Return why it cannot be loaded and what to do, in one line."""
        remedy = self.remedy or f"pip install 'edge-vc-runtime[{self.extra}]'"
        hint = f" ({self.hint})" if self.hint else ""
        if isinstance(error, ModuleNotFoundError) and error.name:
            reason = f"needs {error.name}, which is not installed"
        else:
            reason = f"cannot be loaded: {error}"
        return f"back end {self.name} {reason}: {remedy}{hint}"

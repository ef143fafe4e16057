"""Entry points by which other distributions add to a registry."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

from edge_vc_runtime.distributions import declares_entry_points


@cache
def register_entry_points(group: str, register: Callable[[Any], None]) -> None:
    """Load every entry point of a group and register it, once per process.

    Nothing is loaded if no distribution declares the group. Entry points that cannot be loaded are
    left out with a warning.
    """
    if not declares_entry_points(group):
        return
    from importlib.metadata import entry_points

    for point in entry_points(group=group):
        try:
            register(point.load())
        except Exception as error:  # a broken distribution must not affect the others
            warnings.warn(
                f"{group}: {point.name} ({point.value}) is left out: {error}", stacklevel=2
            )

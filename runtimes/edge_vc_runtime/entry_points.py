"""What other distributions add to a registry, by the entry points of a group."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def register_entry_points(group: str, register: Callable[[Any], None]) -> None:
    """Load every entry point of a group and register it, once per process.

    It reads the metadata of all distributions, about 1 ms each, so registries call it only when
    what they hold does not suffice. What cannot be loaded is left out with a warning.
    """
    from importlib.metadata import entry_points  # loads an e-mail parser: 25 ms of a start

    for point in entry_points(group=group):
        try:
            register(point.load())
        except Exception as error:  # a broken distribution must not take the others along
            warnings.warn(
                f"{group}: {point.name} ({point.value}) is left out: {error}", stacklevel=2
            )

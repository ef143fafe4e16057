"""How many may be served at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class BusyError(Exception):
    """Every place is taken; one line."""


class ConversionSlots:
    """A fixed number of places, taken and left in the event loop's thread."""

    def __init__(self, limit: int, what: str) -> None:
        """``what`` names the occupants in the plural, for the error."""
        self.limit = limit
        self.taken = 0
        self._what = what

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a place; raises `BusyError` when there is none."""
        if self.taken >= self.limit:
            raise BusyError(
                f"busy: {self.taken} of {self.limit} {self._what} are being converted, try later"
            )
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

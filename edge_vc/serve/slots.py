"""Limit on the number of simultaneous conversions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class BusyError(Exception):
    """All slots are taken; one-line message."""


class ConversionSlots:
    """A fixed number of slots, taken and released in the event loop's thread."""

    def __init__(self, limit: int, what: str) -> None:
        """Take ``what``, the plural name of the occupants, for the error message."""
        self.limit = limit
        self.taken = 0
        self._what = what

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a slot; raises `BusyError` if none is free."""
        if self.taken >= self.limit:
            raise BusyError(
                f"busy: {self.taken} of {self.limit} {self._what} are being converted, try later"
            )
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

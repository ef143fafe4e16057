"""What an export cannot do, as one kind of error for callers."""

from __future__ import annotations


class ExportError(ValueError):
    """An export that cannot be done; one line that names the input and the way on."""


class ParityError(ExportError):
    """A graph that differs from what it was made from; one line with the numbers."""

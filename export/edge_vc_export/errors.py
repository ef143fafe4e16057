"""Errors of an export, with one common base class."""

from __future__ import annotations


class ExportError(ValueError):
    """An export that is not possible; a one-line message with the input and the remedy."""


class ParityError(ExportError):
    """A graph that differs from its source; a one-line message with the figures."""

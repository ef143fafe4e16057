"""Errors of taps."""

from __future__ import annotations


class TapError(Exception):
    """A tap that cannot start; one line with the remedy."""

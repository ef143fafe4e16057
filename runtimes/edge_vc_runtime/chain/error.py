"""Errors in the chain's settings or files."""

from __future__ import annotations


class ChainError(Exception):
    """An invalid parameter, option or backing track; one line."""

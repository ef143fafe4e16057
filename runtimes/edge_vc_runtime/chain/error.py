"""Settings or files that the chain cannot use."""

from __future__ import annotations


class ChainError(Exception):
    """A parameter, an option or a backing track that does not do; one line."""

"""Audio that cannot be used."""

from __future__ import annotations


class AudioError(Exception):
    """Audio that cannot be read or written; one line with the file and the reason."""

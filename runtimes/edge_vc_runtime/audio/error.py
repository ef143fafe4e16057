"""Audio that cannot be used."""

from __future__ import annotations


class AudioIOError(Exception):
    """Audio that cannot be read or written; one line with the file and the reason."""

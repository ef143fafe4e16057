"""What a live run cannot show or write."""

from __future__ import annotations


class MonitorError(Exception):
    """A port, a package or a file that is not to be had; one line with the remedy."""

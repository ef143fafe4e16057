"""Errors of a live run's display and report."""

from __future__ import annotations


class MonitorError(Exception):
    """A port, a package or a file that is not available; one line with the remedy."""

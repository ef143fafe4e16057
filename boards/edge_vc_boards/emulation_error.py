"""The one error of emulation."""

from __future__ import annotations


class EmulationError(Exception):
    """A board that cannot be emulated here; one line with what is missing."""

"""A control connection that does not do."""

from __future__ import annotations


class ControlError(Exception):
    """No run to control, a socket that cannot be made, or a refused request; one line."""

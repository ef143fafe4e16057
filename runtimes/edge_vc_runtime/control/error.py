"""Errors of the control connection."""

from __future__ import annotations


class ControlError(Exception):
    """No run to control, a socket that cannot be created, or a rejected request; one line."""

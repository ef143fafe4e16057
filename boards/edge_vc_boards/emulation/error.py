"""The errors of emulation, one line each."""

from __future__ import annotations


class EmulationError(Exception):
    """Something went wrong in or around an emulated board."""


class UnavailableError(EmulationError):
    """No board can be emulated on this machine: permissions, tools or a network are missing."""

"""What can be wrong with a sound device."""

from __future__ import annotations


class DeviceError(Exception):
    """A sound device that cannot be found or opened; one line with the reason and what to do."""


class DeviceBusyError(DeviceError):
    """Another program has the card; the line names it where that can be found out."""


class DeviceGoneError(DeviceError):
    """The device was there and is not any more: unplugged, or its sound server ended."""

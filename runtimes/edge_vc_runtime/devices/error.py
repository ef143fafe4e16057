"""Errors of sound devices."""

from __future__ import annotations

from typing import Literal

FormatPart = Literal["sample_rate", "channels", "sample_type"]


class DeviceError(Exception):
    """A sound device that cannot be found or opened; one line with the reason and what to do."""


class DeviceBusyError(DeviceError):
    """Another program uses the card; the line names it if that can be determined."""


class DeviceGoneError(DeviceError):
    """The device has disappeared: unplugged, or its sound server ended."""


class DeviceHungError(DeviceError):
    """A call of the sound library hangs: only a new process can continue."""


class FormatRefusedError(DeviceError):
    """The device exists but does not support this format; another one may work."""

    def __init__(self, message: str, part: FormatPart | None = None) -> None:
        super().__init__(message)
        self.part = part
        """The part it refused, None if the back end does not say."""

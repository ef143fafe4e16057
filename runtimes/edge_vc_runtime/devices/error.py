"""What can be wrong with a sound device."""

from __future__ import annotations

from typing import Literal

FormatPart = Literal["sample_rate", "channels", "sample_type"]


class DeviceError(Exception):
    """A sound device that cannot be found or opened; one line with the reason and what to do."""


class DeviceBusyError(DeviceError):
    """Another program has the card; the line names it where that can be found out."""


class DeviceGoneError(DeviceError):
    """The device was there and is not any more: unplugged, or its sound server ended."""


class DeviceHungError(DeviceError):
    """The sound library does not come back from a call: only a new process can go on."""


class FormatRefusedError(DeviceError):
    """The device is there and does not take this format; another one may do."""

    def __init__(self, message: str, part: FormatPart | None = None) -> None:
        super().__init__(message)
        self.part = part
        """What it refused, None where the back end does not say."""

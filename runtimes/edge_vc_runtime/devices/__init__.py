"""Sound devices: what a back end is, which there are, and which device a name means."""

from edge_vc_runtime.devices.backend import (
    Backend,
    Device,
    DeviceStream,
    Direction,
    InputCallback,
    OutputCallback,
    SampleType,
    StreamFormat,
)
from edge_vc_runtime.devices.error import DeviceBusyError, DeviceError, DeviceGoneError

__all__ = [
    "Backend",
    "Device",
    "DeviceBusyError",
    "DeviceError",
    "DeviceGoneError",
    "DeviceStream",
    "Direction",
    "InputCallback",
    "OutputCallback",
    "SampleType",
    "StreamFormat",
]

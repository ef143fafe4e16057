"""Sound devices: the back-end protocol, the back ends, and the selection of devices by name."""

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
from edge_vc_runtime.devices.backends import (
    BACKENDS,
    backend_kinds,
    describe_backends,
    open_backend,
    register_backend,
    unregister_backend,
)
from edge_vc_runtime.devices.error import (
    DeviceBusyError,
    DeviceError,
    DeviceGoneError,
    FormatRefusedError,
)
from edge_vc_runtime.devices.kind import BackendKind
from edge_vc_runtime.devices.library_noise import captured_stderr, filtered_stderr
from edge_vc_runtime.devices.negotiation import negotiate
from edge_vc_runtime.devices.remembered import remember_device, remembered_devices
from edge_vc_runtime.devices.selection import find_device
from edge_vc_runtime.devices.virtual_microphone import VirtualMicrophone

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendKind",
    "Device",
    "DeviceBusyError",
    "DeviceError",
    "DeviceGoneError",
    "DeviceStream",
    "Direction",
    "FormatRefusedError",
    "InputCallback",
    "OutputCallback",
    "SampleType",
    "StreamFormat",
    "VirtualMicrophone",
    "backend_kinds",
    "captured_stderr",
    "describe_backends",
    "filtered_stderr",
    "find_device",
    "negotiate",
    "open_backend",
    "register_backend",
    "remember_device",
    "remembered_devices",
    "unregister_backend",
]

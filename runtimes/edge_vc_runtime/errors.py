"""All errors caused by the input, of which the user only needs to see one line."""

from __future__ import annotations

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.bundle.input_spec import ModelInputError
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.chain.error import ChainError
from edge_vc_runtime.control.error import ControlError
from edge_vc_runtime.devices.error import DeviceError
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.install.error import InstallError
from edge_vc_runtime.monitor.error import MonitorError
from edge_vc_runtime.profiling.coldstart import ColdStartError
from edge_vc_runtime.profiling.picture import PictureError
from edge_vc_runtime.taps.error import TapError


class UsageError(Exception):
    """Invalid combination of arguments; one line."""


ERRORS = (
    AudioIOError,
    BundleError,
    ChainError,
    ColdStartError,
    ControlError,
    DeviceError,
    EngineError,
    ModelInputError,
    InstallError,
    MonitorError,
    PictureError,
    TapError,
    UsageError,
)

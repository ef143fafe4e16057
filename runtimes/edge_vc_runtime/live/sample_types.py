"""The sample types of sound cards in numbers."""

from __future__ import annotations

from edge_vc_runtime.devices.backend import SampleType

FULL_SCALE: dict[SampleType, float] = {"float32": 1.0, "int16": 2.0**15, "int32": 2.0**31}
"""The value that 1.0 becomes."""
LARGEST: dict[SampleType, float] = {"float32": 1.0, "int16": 32767.0, "int32": 2147483520.0}
"""The largest value that fits and that float32 holds exactly."""

"""Numeric properties of sound cards' sample types."""

from __future__ import annotations

from edge_vc_runtime.devices.backend import SampleType

FULL_SCALE: dict[SampleType, float] = {"float32": 1.0, "int16": 2.0**15, "int32": 2.0**31}
"""The value that corresponds to 1.0."""
LARGEST: dict[SampleType, float] = {"float32": 1.0, "int16": 32767.0, "int32": 2147483520.0}
"""The largest valid value that float32 represents exactly."""

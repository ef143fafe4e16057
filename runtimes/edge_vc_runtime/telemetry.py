"""Disables telemetry of libraries."""

from __future__ import annotations

import os

ONNX_RUNTIME = "ORT_DISABLE_TELEMETRY"
"""Environment variable of ONNX Runtime 1.31 and later, read when it is loaded."""


def disable_telemetry() -> None:
    """Make ONNX Runtime send nothing and store no machine identifier in the user's cache.

    To be called before it is imported; processes started later inherit the setting. A value set by
    the user is kept.
    """
    os.environ.setdefault(ONNX_RUNTIME, "1")

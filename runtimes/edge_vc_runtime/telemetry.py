"""Keeps libraries from reporting to their makers."""

from __future__ import annotations

import os

ONNX_RUNTIME = "ORT_DISABLE_TELEMETRY"
"""Environment variable of ONNX Runtime 1.31 and later, read when it is loaded."""


def disable_telemetry() -> None:
    """Have ONNX Runtime send nothing and keep no identifier of the machine in the user's cache.

    To be called before it is imported; processes that are started later inherit it. What the user
    set stays.
    """
    os.environ.setdefault(ONNX_RUNTIME, "1")

"""ONNX Runtime, imported nowhere else: it reads what it may report when it is loaded."""

from __future__ import annotations

from edge_vc_runtime.telemetry import disable_telemetry

disable_telemetry()

import onnxruntime as ort  # noqa: E402  not before

__all__ = ["ort"]

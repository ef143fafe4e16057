"""ONNX Runtime, imported only here: it reads its telemetry settings when it is loaded."""

from __future__ import annotations

from edge_vc_runtime.telemetry import disable_telemetry

disable_telemetry()

import onnxruntime as ort  # noqa: E402  not before

__all__ = ["ort"]

"""Model formats, each with the check that a file has to pass before a library loads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.engines.io_signature import check_signature

ModelCheck = Callable[[Manifest, str, bytes], object]
"""Takes manifest, file name and bytes; raises `EngineError`. Loads no library."""


def _check_tflite(manifest: Manifest, file: str, data: bytes) -> None:
    from edge_vc_runtime.engines.litert_engine.checked_graph import read_checked

    read_checked(manifest, file, data)


def _check_onnx(manifest: Manifest, file: str, data: bytes) -> None:
    from edge_vc_runtime.engines.onnx_engine.onnx_reader import FLOAT, OnnxError, read_onnx

    try:
        graph = read_onnx(data)
    except OnnxError as error:
        raise EngineError(f"{file}: {error}") from error
    check_signature(manifest, file, graph.inputs, graph.outputs, FLOAT)


FORMAT_CHECKS: Mapping[str, ModelCheck] = {"onnx": _check_onnx, "tflite": _check_tflite}
"""Checks by the name in `ModelEntry.format`."""


def check_model(manifest: Manifest, model: ModelEntry, data: bytes) -> None:
    """Check one model file without a library; ``manifest`` is that of the model's tier.

    Raises `EngineError`, one line that begins with the file's name.
    """
    FORMAT_CHECKS[model.format](manifest, model.file, data)

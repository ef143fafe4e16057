"""ONNX Runtime's providers for NVIDIA GPUs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_vc_runtime.board_profile import user_folder
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.engines.onnx_engine.library import ort
from edge_vc_runtime.engines.tensorrt_engine.remedy import NAME, REMEDY

PROVIDER = "TensorrtExecutionProvider"
CUDA = "CUDAExecutionProvider"
Provider = tuple[str, dict[str, Any]]


def check_provider() -> None:
    """Raise `EngineError` unless the installed ONNX Runtime was built with TensorRT."""
    available = ort.get_available_providers()
    if PROVIDER not in available:
        raise EngineError(
            f"engine {NAME} needs {PROVIDER}, onnxruntime {ort.__version__} here has "
            f"{', '.join(available)}: {REMEDY}"
        )


def gpu_providers(environment: Mapping[str, str] | None = None) -> list[Provider]:
    """Return the providers, TensorRT first; its engines take minutes to build and are cached."""
    folder = user_folder("CACHE", ".cache", environment) / "tensorrt"
    _make_private(folder)
    options = {
        "device_id": 0,
        "trt_fp16_enable": False,  # the golden recordings are 32-bit
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": True,
        "trt_timing_cache_path": str(folder),
    }
    return [(PROVIDER, options), (CUDA, {"device_id": 0})]


def _make_private(folder: Path) -> None:
    """Create the folder for this user only: the engines read from it are code."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise EngineError(
            f"{folder}: {error.strerror or error}; TensorRT keeps its engines there"
        ) from error

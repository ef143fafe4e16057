"""TensorRT as an entry of the engine registry; does not import the library."""

from __future__ import annotations

from edge_vc_runtime.engines.engine import EngineFactory
from edge_vc_runtime.engines.kind import EngineKind, EngineLibrary
from edge_vc_runtime.engines.tensorrt_engine.remedy import NAME, REMEDY


def _load() -> EngineFactory:
    from edge_vc_runtime.engines.tensorrt_engine.engine import TensorrtEngine
    from edge_vc_runtime.engines.tensorrt_engine.providers import check_provider

    check_provider()
    return TensorrtEngine


KIND = EngineKind(
    name=NAME,
    preference=30,
    formats=("onnx",),
    # TensorRT requires zero points of zero; those of the INT8 models are not.
    precisions=("fp32",),
    libraries=(EngineLibrary("onnxruntime-gpu"),),
    load=_load,
    remedy=REMEDY,
    only_measured=True,
    tried=False,  # it compiles the model, which needs minutes and gigabytes of address space
)

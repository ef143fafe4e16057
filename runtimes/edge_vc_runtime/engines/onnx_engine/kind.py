"""ONNX Runtime as an entry of the engine registry; does not import the library."""

from __future__ import annotations

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.engines.engine import EngineFactory
from edge_vc_runtime.engines.kind import EngineKind, EngineLibrary
from edge_vc_runtime.engines.onnx_engine.wheels import WHEELS
from edge_vc_runtime.engines.op_time import OpTime
from edge_vc_runtime.samples import Samples


def _load() -> EngineFactory:
    from edge_vc_runtime.engines.onnx_engine.engine import OnnxEngine

    return OnnxEngine


def _op_times(
    manifest: Manifest, model: ModelEntry, data: bytes, threads: int, hops: Samples
) -> tuple[OpTime, ...] | None:
    from edge_vc_runtime.engines.onnx_engine.profile import op_times

    return op_times(manifest, model, data, threads, hops)


KIND = EngineKind(
    name="onnx",
    preference=20,
    formats=("onnx",),
    libraries=(EngineLibrary("onnxruntime", "1.17"), EngineLibrary("onnxruntime-gpu")),
    load=_load,
    extra="onnx",
    wheels=WHEELS,
    op_times=_op_times,
)

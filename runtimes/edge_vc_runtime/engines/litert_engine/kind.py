"""LiteRT as an entry of the engine registry; imports neither of its libraries."""

from __future__ import annotations

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.engines.engine import EngineFactory
from edge_vc_runtime.engines.kind import EngineKind, EngineLibrary
from edge_vc_runtime.engines.litert_engine.wheels import WHEELS
from edge_vc_runtime.engines.op_time import OpTime
from edge_vc_runtime.samples import Samples


def _load() -> EngineFactory:
    from edge_vc_runtime.engines.litert_engine.engine import LitertEngine
    from edge_vc_runtime.engines.litert_engine.library import load_library

    load_library()
    return LitertEngine


def _op_times(
    manifest: Manifest, model: ModelEntry, data: bytes, threads: int, hops: Samples
) -> tuple[OpTime, ...] | None:
    """Measure each operator separately on its own noise input; the hops are not used."""
    from edge_vc_runtime.engines.litert_engine.profile import op_times

    return op_times(data, threads)


KIND = EngineKind(
    name="litert",
    preference=10,
    formats=("tflite",),
    libraries=(EngineLibrary("ai-edge-litert", "2.0"), EngineLibrary("tflite-runtime", "2.14")),
    load=_load,
    extra="litert",
    wheels=WHEELS,
    op_times=_op_times,
    op_method="each run alone",
    op_missing="tflite-runtime does not report time per node",
)

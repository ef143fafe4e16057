"""Inference engines by name; one is imported only when it is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge_vc_runtime.engines.engine import EngineError, EngineFactory


@dataclass(frozen=True)
class EngineKind:
    """An engine that could be loaded."""

    name: str
    format: str
    """Model format that it runs; see `ModelEntry.format`."""
    libraries: tuple[str, ...]
    """Distributions that could stand behind it, as pip calls them."""
    load: Callable[[], EngineFactory]
    """Imports it; raises `ModuleNotFoundError` or `EngineError`."""


def _litert() -> EngineFactory:
    from edge_vc_runtime.engines.litert_engine.engine import LitertEngine
    from edge_vc_runtime.engines.litert_engine.library import load_library

    load_library()
    return LitertEngine


def _onnx() -> EngineFactory:
    from edge_vc_runtime.engines.onnx_engine.engine import OnnxEngine

    return OnnxEngine


ENGINES: dict[str, EngineKind] = {
    "litert": EngineKind("litert", "tflite", ("ai-edge-litert", "tflite-runtime"), _litert),
    "onnx": EngineKind("onnx", "onnx", ("onnxruntime", "onnxruntime-gpu"), _onnx),
}
"""Engines by name, in the order in which they are preferred where nothing else decides."""


def engine_of(format: str) -> str:
    """Return the name of the engine that runs a model format; `KeyError` for an unknown one."""
    return {kind.format: kind.name for kind in ENGINES.values()}[format]


def load_engine(name: str) -> EngineFactory:
    """Import an engine; raises `EngineError` for an unknown or a missing one."""
    if name not in ENGINES:
        raise EngineError(f"no engine {name!r}, choose from auto, {', '.join(ENGINES)}")
    try:
        return ENGINES[name].load()
    except ModuleNotFoundError as error:
        raise EngineError(
            f"engine {name} needs {error.name}, which is not installed: "
            f"pip install 'edge-vc-runtime[{name}]'"
        ) from error

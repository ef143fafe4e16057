"""Inference engines: their protocol, the registry, and the selection of one for a bundle."""

from edge_vc_runtime.engines.engine import Engine, EngineError, EngineFactory
from edge_vc_runtime.engines.kind import EngineKind, EngineLibrary
from edge_vc_runtime.engines.op_time import OpTime
from edge_vc_runtime.engines.registry import (
    ENGINES,
    engine_kind,
    engine_kinds,
    engines_for,
    least_versions,
    load_engine,
    register_engine,
    unregister_engine,
)

__all__ = [
    "ENGINES",
    "Engine",
    "EngineError",
    "EngineFactory",
    "EngineKind",
    "EngineLibrary",
    "OpTime",
    "engine_kind",
    "engine_kinds",
    "engines_for",
    "least_versions",
    "load_engine",
    "register_engine",
    "unregister_engine",
]

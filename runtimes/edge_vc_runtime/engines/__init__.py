"""Inference engines: what one is, which there are, and which of them runs a bundle."""

from edge_vc_runtime.engines.engine import Engine, EngineError, EngineFactory
from edge_vc_runtime.engines.registry import ENGINES, EngineKind, engine_of, load_engine

__all__ = [
    "ENGINES",
    "Engine",
    "EngineError",
    "EngineFactory",
    "EngineKind",
    "engine_of",
    "load_engine",
]

"""Which models the shipped bundles hold: not every one a float model, or both formats."""

from __future__ import annotations

from edge_vc.assets import bundle_names, bundle_path
from edge_vc_runtime import read_bundle

ENGINES = {"onnx": "onnx", "tflite": "litert"}
"""The engine that runs a format."""


def shipped_engines() -> list[tuple[str, str, str]]:
    """Name of the bundle, precision and engine of each model."""
    found = [(name, read_bundle(bundle_path(name)).manifest.models) for name in bundle_names()]
    return sorted(
        {
            (name, model.precision, ENGINES[model.format])
            for name, models in found
            for model in models
        }
    )


def shipped_models() -> list[tuple[str, str]]:
    """Name of the bundle and precision of each model, whatever its formats."""
    return sorted({(name, precision) for name, precision, _ in shipped_engines()})


def in_both_formats() -> list[tuple[str, str]]:
    """Name and precision of the models that are there as ONNX and as TFLite."""
    there = set(shipped_engines())
    return [
        (name, precision)
        for name, precision in shipped_models()
        if all((name, precision, engine) in there for engine in ENGINES.values())
    ]


FLOAT_BUNDLES = [name for name, precision in shipped_models() if precision == "fp32"]
"""Names of the bundles with a float model."""

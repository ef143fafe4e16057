"""Which models the shipped bundles hold; not every one holds a float model."""

from __future__ import annotations

from edge_vc.assets import bundle_names, bundle_path
from edge_vc_runtime import read_bundle


def shipped_models() -> list[tuple[str, str]]:
    """Name of the bundle and precision of each model."""
    found = [(name, read_bundle(bundle_path(name)).manifest.models) for name in bundle_names()]
    return sorted({(name, model.precision) for name, models in found for model in models})


FLOAT_BUNDLES = [name for name, precision in shipped_models() if precision == "fp32"]
"""Names of the bundles with a float model."""

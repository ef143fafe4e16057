"""Checks of a whole bundle without running it: graphs, sizes, the golden recording."""

from __future__ import annotations

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.engines.admission import UnsafeBundleError
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.engines.formats import check_model

MODEL_LIMIT = 1 << 27
"""Largest model file in bytes."""


def check_bundle(bundle: Bundle) -> None:
    """Check every model and golden recording of every tier; no library is loaded.

    Raises `UnsafeBundleError`, one line with the bundle, the file and the reason.
    """
    for name in bundle.manifest.tier_names:
        tier = bundle.tier(name)
        for model in tier.manifest.models:
            check_bundle_model(tier, model)
        if tier.manifest.golden is not None:
            _check_golden(tier)


def check_bundle_model(tier: Bundle, model: ModelEntry) -> None:
    """Check one model of a single-tier bundle; raises `UnsafeBundleError`."""
    size = tier.manifest.files[model.file].size
    if size > MODEL_LIMIT:
        raise UnsafeBundleError(
            f"{tier.path}: {model.file}: {size} bytes, at most {MODEL_LIMIT} are allowed"
        )
    data = tier.read(model.file)
    try:
        check_model(tier.manifest, model, data)
    except EngineError as error:
        raise UnsafeBundleError(f"{tier.path}: {error}") from error


def _check_golden(tier: Bundle) -> None:
    arrays, golden = tier.golden(), tier.manifest.golden
    if arrays["input"].size < tier.manifest.hop:
        raise UnsafeBundleError(f"{tier.path}: its golden recording is shorter than one hop")
    compared = {f"output.{name}" for name in golden.tolerance} if golden else set()
    if not compared & arrays.keys():
        raise UnsafeBundleError(
            f"{tier.path}: its golden recording holds no output that golden.tolerance names"
        )

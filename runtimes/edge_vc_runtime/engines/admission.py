"""The check of a model before it is opened in this process."""

from __future__ import annotations

from collections.abc import Callable

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.engines.kind import EngineKind


class UnsafeBundleError(BundleError):
    """A bundle that crashes its reader, perhaps deliberately; no other engine is tried."""


Admission = Callable[[Bundle, EngineKind, ModelEntry], None]
"""Raises `UnsafeBundleError` or `EngineError` if the engine must not load the model."""

"""What a model has to pass before it is opened in this process."""

from __future__ import annotations

from collections.abc import Callable

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.engines.kind import EngineKind


class UnsafeBundleError(BundleError):
    """A bundle that breaks its reader or is made to; no other engine is tried with it."""


Admission = Callable[[Bundle, EngineKind, ModelEntry], None]
"""Raises `UnsafeBundleError` or `EngineError` where the engine must not be given the model."""

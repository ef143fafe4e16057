"""The board side of Edge VC: opens, runs and measures bundles, with numpy alone.

from edge_vc_runtime import Session

session = Session.open("kathleen.evc")
out = session.step(hop)  # float32 [session.hop]
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from edge_vc_runtime.version import __version__

__all__ = [
    "Bundle",
    "BundleError",
    "EngineError",
    "EngineKind",
    "Manifest",
    "ProfileOptions",
    "Report",
    "Session",
    "__version__",
    "convert_array",
    "profile",
    "read_bundle",
    "register_engine",
]

if TYPE_CHECKING:
    from edge_vc_runtime.bundle.manifest import BundleError, Manifest
    from edge_vc_runtime.bundle.reader import Bundle, read_bundle
    from edge_vc_runtime.engines.engine import EngineError
    from edge_vc_runtime.engines.kind import EngineKind
    from edge_vc_runtime.engines.registry import register_engine
    from edge_vc_runtime.live.offline import convert_array
    from edge_vc_runtime.profiling.profiler import ProfileOptions, profile
    from edge_vc_runtime.profiling.report import Report
    from edge_vc_runtime.session import Session

_HOMES = {
    "Bundle": "edge_vc_runtime.bundle.reader",
    "BundleError": "edge_vc_runtime.bundle.manifest",
    "EngineError": "edge_vc_runtime.engines.engine",
    "EngineKind": "edge_vc_runtime.engines.kind",
    "Manifest": "edge_vc_runtime.bundle.manifest",
    "ProfileOptions": "edge_vc_runtime.profiling.profiler",
    "Report": "edge_vc_runtime.profiling.report",
    "Session": "edge_vc_runtime.session",
    "convert_array": "edge_vc_runtime.live.offline",
    "profile": "edge_vc_runtime.profiling.profiler",
    "read_bundle": "edge_vc_runtime.bundle.reader",
    "register_engine": "edge_vc_runtime.engines.registry",
}


def __getattr__(name: str) -> object:
    """Load a public name's module on first use, so that importing the package is cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

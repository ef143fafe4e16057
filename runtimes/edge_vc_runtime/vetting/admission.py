"""Admission of a model to this process: shipped with the project, tried before, or tried now."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.engines.kind import EngineKind
from edge_vc_runtime.engines.registry import is_installed_engine
from edge_vc_runtime.vetting.bundle_check import check_bundle
from edge_vc_runtime.vetting.memory import Trial, remember, remembers
from edge_vc_runtime.vetting.trial_process import try_model

_SHIPPED = ("edge_vc", "assets")
"""Package and folder of the bundles shipped in the host's distribution."""


def admit(bundle: Bundle, kind: EngineKind, model: ModelEntry) -> None:
    """Admit a model that this engine has run here before, or try it first and remember a pass.

    Bundles in the installed host package are as trusted as its code. A model for an engine that the
    program registered itself is not tried: no other process knows the engine. Raises
    `UnsafeBundleError` or `EngineError`.
    """
    if not is_installed_engine(kind) or is_shipped(bundle.path):
        return
    trial = Trial.of(bundle, kind, model)
    if remembers(trial):
        return
    check_bundle(bundle)
    if kind.tried:
        try_model(bundle, kind, model)
    remember(trial)


def is_shipped(path: Path) -> bool:
    """Return whether a bundle is in the installed host package, without importing anything."""
    try:
        spec = find_spec(_SHIPPED[0])
        folders = list(spec.submodule_search_locations or ()) if spec else []
        return any(path.resolve().parent == Path(f).resolve() / _SHIPPED[1] for f in folders)
    except (ImportError, ValueError, OSError):
        return False

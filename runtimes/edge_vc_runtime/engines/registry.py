"""Inference engines by name. To add one: a folder with its `EngineKind`, and a line in `ENGINES`.

A distribution of its own adds one without a change here: it calls `register_engine`, or names its
`EngineKind` as an entry point of the group `ENTRY_POINTS`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from edge_vc_runtime.engines.engine import EngineError, EngineFactory
from edge_vc_runtime.engines.kind import EngineKind
from edge_vc_runtime.engines.litert_engine.kind import LITERT
from edge_vc_runtime.engines.onnx_engine.kind import ONNX
from edge_vc_runtime.engines.tensorrt_engine.kind import TENSORRT
from edge_vc_runtime.entry_points import register_entry_points

ENTRY_POINTS = "edge_vc.engines"
"""Entry point group in which other distributions name their `EngineKind`."""

ENGINES: dict[str, EngineKind] = {kind.name: kind for kind in (LITERT, ONNX, TENSORRT)}
"""Registered engines by name, in the order in which they are preferred where nothing else decides.
`engine_kinds` adds those that entry points name."""
_INSTALLED = set(ENGINES)


def register_engine(kind: EngineKind) -> None:
    """Add an engine, the last in the order of preference.

    Raises `ValueError` when another one has its name.
    """
    if ENGINES.setdefault(kind.name, kind) is not kind:
        raise ValueError(f"an engine {kind.name!r} is registered already, choose another name")


def unregister_engine(name: str) -> None:
    """Remove an engine; harmless when there is none of that name."""
    ENGINES.pop(name, None)


def engine_kinds() -> Mapping[str, EngineKind]:
    """Return every engine by name, in order of preference; reads entry points the first time."""
    register_entry_points(ENTRY_POINTS, _register_installed)
    return MappingProxyType(ENGINES)


def _register_installed(kind: EngineKind) -> None:
    register_engine(kind)
    _INSTALLED.add(kind.name)


def is_installed_engine(kind: EngineKind) -> bool:
    """Whether every process here knows the engine; not so one that this program registered."""
    return kind.name in _INSTALLED


def engines_for(formats: Collection[str]) -> tuple[EngineKind, ...]:
    """Return the engines that read at least one of the model formats, the preferred one first."""
    return tuple(k for k in engine_kinds().values() if not set(formats).isdisjoint(k.formats))


def least_versions(format: str) -> dict[str, str]:
    """Return the least version of each library that loads a model format."""
    libraries = (library for kind in engines_for((format,)) for library in kind.libraries)
    return {library.name: library.least for library in libraries if library.least}


def engine_kind(name: str) -> EngineKind:
    """Return an engine by name; raises `EngineError` that lists the names for an unknown one."""
    kind = ENGINES.get(name) or engine_kinds().get(name)
    if kind is None:
        raise EngineError(f"no engine {name!r:.60}, choose from auto, {', '.join(ENGINES)}")
    return kind


def load_engine(name: str) -> EngineFactory:
    """Import an engine; raises `EngineError` for an unknown or a missing one."""
    kind = engine_kind(name)
    try:
        return kind.load()
    except ModuleNotFoundError as error:
        raise EngineError(kind.missing(error.name)) from error

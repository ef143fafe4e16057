"""Inference engines by name. To add one: a folder ``NAME_engine`` whose ``kind.py`` has a `KIND`.

A separate distribution adds one without a change here: it calls `register_engine`, or declares its
`EngineKind` as an entry point in the group `ENTRY_POINTS`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from importlib import import_module
from pkgutil import iter_modules

from edge_vc_runtime.engines.engine import EngineError, EngineFactory
from edge_vc_runtime.engines.kind import EngineKind
from edge_vc_runtime.registry import Registry
from edge_vc_runtime.telemetry import disable_telemetry

ENTRY_POINTS = "edge_vc.engines"
"""Entry point group in which other distributions declare their `EngineKind`."""

_PACKAGE = __name__.rpartition(".")[0]


def find_kinds(folders: Iterable[str]) -> list[EngineKind]:
    """Return the engine of every folder ``NAME_engine``, the preferred one first.

    Their ``kind.py`` are imported, their libraries are not. Raises `TypeError` for a `KIND` that is
    not an `EngineKind`.
    """
    names = sorted(each.name for each in iter_modules(folders) if each.name.endswith("_engine"))
    kinds = [import_module(f"{_PACKAGE}.{name}.kind").KIND for name in names]
    for name, kind in zip(names, kinds, strict=True):
        if not isinstance(kind, EngineKind):
            raise TypeError(f"{_PACKAGE}.{name}.kind: KIND is {kind!r:.60}, not an EngineKind")
    return sorted(kinds, key=lambda kind: kind.preference)


ENGINES: Registry[EngineKind] = Registry(
    "an engine", ENTRY_POINTS, find_kinds(import_module(_PACKAGE).__path__)
)
"""Registered engines by name, in order of preference if nothing else decides. `engine_kinds` adds
those from entry points."""
register_engine = ENGINES.register
unregister_engine = ENGINES.unregister
engine_kinds = ENGINES.complete
is_installed_engine = ENGINES.is_installed


def engines_for(formats: Collection[str]) -> tuple[EngineKind, ...]:
    """Return the engines that read at least one of the model formats, the preferred one first."""
    return tuple(k for k in engine_kinds().values() if not set(formats).isdisjoint(k.formats))


def least_versions(format: str) -> dict[str, str]:
    """Return the minimum version of each library that loads a model format."""
    libraries = (library for kind in engines_for((format,)) for library in kind.libraries)
    return {library.name: library.least for library in libraries if library.least}


def engine_kind(name: str) -> EngineKind:
    """Return an engine by name; raises `EngineError`, which lists the names, if unknown."""
    kind = ENGINES.find(name)
    if kind is None:
        raise EngineError(f"no engine {name!r:.60}, choose from auto, {', '.join(ENGINES)}")
    return kind


def load_engine(name: str) -> EngineFactory:
    """Import an engine; raises `EngineError` if it is unknown or missing."""
    kind = engine_kind(name)
    try:
        disable_telemetry()
        return kind.load()
    except ModuleNotFoundError as error:
        raise EngineError(kind.missing(error.name)) from error

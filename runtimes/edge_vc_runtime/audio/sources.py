"""Sources by name. To add one: a file with its `SourceKind`, and a line in `SOURCES`.

A distribution of its own calls `register_source`, or names its `SourceKind` as an entry point of
the group `ENTRY_POINTS`.
"""

from __future__ import annotations

from edge_vc_runtime.audio.file_source import FILE_SOURCE
from edge_vc_runtime.audio.source import SourceKind
from edge_vc_runtime.audio.stdin_source import STDIN_SOURCE
from edge_vc_runtime.entry_points import register_entry_points

ENTRY_POINTS = "edge_vc.sources"
"""Entry point group in which other distributions name their `SourceKind`."""

SOURCES: dict[str, SourceKind] = {kind.name: kind for kind in (FILE_SOURCE, STDIN_SOURCE)}
"""Registered sources by name; of several that accept an argument, the last one opens it."""


def register_source(kind: SourceKind) -> None:
    """Add a source; raises `ValueError` when another one has its name."""
    if SOURCES.setdefault(kind.name, kind) is not kind:
        raise ValueError(f"a source {kind.name!r} is registered already, choose another name")


def unregister_source(name: str) -> None:
    """Remove a source; harmless when there is none of that name."""
    SOURCES.pop(name, None)


def source_kind(argument: str) -> SourceKind:
    """Return the kind of source that an argument names, a file where no kind accepts it.

    Entry points are read only for an argument that no registered kind accepts.
    """
    found = _accepting(argument)
    if found is None:
        register_entry_points(ENTRY_POINTS, register_source)
        found = _accepting(argument)
    return found or FILE_SOURCE


def describe_sources() -> str:
    """Return what an argument can be, in one line for help; reads entry points."""
    register_entry_points(ENTRY_POINTS, register_source)
    return ", or ".join(kind.usage for kind in SOURCES.values())


def _accepting(argument: str) -> SourceKind | None:
    return next((kind for kind in reversed(SOURCES.values()) if kind.accepts(argument)), None)

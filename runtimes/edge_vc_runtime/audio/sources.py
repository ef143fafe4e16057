"""Sources by name. To add one: a file with its `SourceKind`, and its name in `SOURCES`.

A separate distribution calls `register_source`, or declares its `SourceKind` as an entry point in
the group `ENTRY_POINTS`.
"""

from __future__ import annotations

from edge_vc_runtime.audio.file_source import FILE_SOURCE
from edge_vc_runtime.audio.place_registry import PlaceRegistry
from edge_vc_runtime.audio.source import SourceKind
from edge_vc_runtime.audio.stdin_source import STDIN_SOURCE

ENTRY_POINTS = "edge_vc.sources"
"""Entry point group in which other distributions declare their `SourceKind`."""

SOURCES: PlaceRegistry[SourceKind] = PlaceRegistry(
    "a source", ENTRY_POINTS, (FILE_SOURCE, STDIN_SOURCE)
)
"""Registered sources by name."""
register_source = SOURCES.register
unregister_source = SOURCES.unregister
describe_sources = SOURCES.describe


def source_kind(argument: str) -> SourceKind:
    """Return the kind of source for an argument; a file if no kind accepts it."""
    return SOURCES.accepting(argument) or FILE_SOURCE

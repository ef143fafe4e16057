"""Sinks by name. To add one: a file with its `SinkKind`, and a line in `SINKS`.

A distribution of its own calls `register_sink`, or names its `SinkKind` as an entry point of
the group `ENTRY_POINTS`.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_vc_runtime.audio.encoders import check_suffix
from edge_vc_runtime.audio.file_sink import FILE_SINK
from edge_vc_runtime.audio.raw_sink import STDOUT_SINK
from edge_vc_runtime.audio.sink import SinkKind
from edge_vc_runtime.entry_points import register_entry_points
from edge_vc_runtime.files.output_place import OutputPlace

ENTRY_POINTS = "edge_vc.sinks"
"""Entry point group in which other distributions name their `SinkKind`."""

SINKS: dict[str, SinkKind] = {kind.name: kind for kind in (FILE_SINK, STDOUT_SINK)}
"""Registered sinks by name; of several that accept an argument, the last one opens it."""


def register_sink(kind: SinkKind) -> None:
    """Add a sink; raises `ValueError` when another one has its name."""
    if SINKS.setdefault(kind.name, kind) is not kind:
        raise ValueError(f"a sink {kind.name!r} is registered already, choose another name")


def unregister_sink(name: str) -> None:
    """Remove a sink; harmless when there is none of that name."""
    SINKS.pop(name, None)


def sink_kind(argument: str) -> SinkKind:
    """Return the kind of sink that an argument names, a file where no kind accepts it.

    Entry points are read only for an argument that no registered kind accepts.
    """
    found = _accepting(argument)
    if found is None:
        register_entry_points(ENTRY_POINTS, register_sink)
        found = _accepting(argument)
    return found or FILE_SINK


@dataclass(frozen=True)
class SinkPlace(OutputPlace):
    """An argument that names a sink; one that is a file is checked as every output is."""

    def named_in(self, value: object) -> tuple[str, ...]:
        """Return the file; nothing where another kind of sink opens the argument."""
        is_file = isinstance(value, str) and sink_kind(value) is FILE_SINK
        return super().named_in(value) if is_file else ()

    def _check_suffix(self, path: str) -> None:
        check_suffix(path)


SINK = SinkPlace()


def describe_sinks() -> str:
    """Return what an argument can be, in one line for help; reads entry points."""
    register_entry_points(ENTRY_POINTS, register_sink)
    return ", or ".join(kind.usage for kind in SINKS.values())


def _accepting(argument: str) -> SinkKind | None:
    return next((kind for kind in reversed(SINKS.values()) if kind.accepts(argument)), None)

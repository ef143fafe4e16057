"""Sinks by name. To add one: a file with its `SinkKind`, and its name in `SINKS`.

A separate distribution calls `register_sink`, or declares its `SinkKind` as an entry point in
the group `ENTRY_POINTS`.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_vc_runtime.audio.encoders import check_suffix
from edge_vc_runtime.audio.file_sink import FILE_SINK
from edge_vc_runtime.audio.place_registry import PlaceRegistry
from edge_vc_runtime.audio.raw_sink import STDOUT_SINK
from edge_vc_runtime.audio.sink import SinkKind
from edge_vc_runtime.files.output_place import OutputPlace

ENTRY_POINTS = "edge_vc.sinks"
"""Entry point group in which other distributions declare their `SinkKind`."""

SINKS: PlaceRegistry[SinkKind] = PlaceRegistry("a sink", ENTRY_POINTS, (FILE_SINK, STDOUT_SINK))
"""Registered sinks by name."""
register_sink = SINKS.register
unregister_sink = SINKS.unregister
describe_sinks = SINKS.describe


def sink_kind(argument: str) -> SinkKind:
    """Return the kind of sink for an argument; a file if no kind accepts it."""
    return SINKS.accepting(argument) or FILE_SINK


@dataclass(frozen=True)
class SinkPlace(OutputPlace):
    """An argument that denotes a sink; a file is checked like every output."""

    def named_in(self, value: object) -> tuple[str, ...]:
        """Return the file; empty if another kind of sink opens the argument."""
        is_file = isinstance(value, str) and sink_kind(value) is FILE_SINK
        return super().named_in(value) if is_file else ()

    def _check_suffix(self, path: str) -> None:
        check_suffix(path)


SINK = SinkPlace()

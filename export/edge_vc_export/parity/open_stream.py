"""Opening a graph file with the engine that its name asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_vc_export.parity.stream import GraphStream, OnnxStream


def open_stream(path: str | Path, probes: Sequence[str] = (), threads: int = 1) -> GraphStream:
    """Open a graph file with the engine that its name asks for."""
    if Path(path).suffix != ".tflite":
        return OnnxStream(path, probes, threads)
    from edge_vc_export.tflite.stream import TfliteStream  # needs the extra `tflite`

    return TfliteStream(path, probes, threads)

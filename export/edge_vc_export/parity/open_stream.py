"""Open a graph file with the engine for its file name's suffix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_vc_export.parity.stream import GraphStream, OnnxStream


def open_stream(path: str | Path, probes: Sequence[str] = (), threads: int = 1) -> GraphStream:
    """Open a graph file with the engine for its file name's suffix."""
    if Path(path).suffix != ".tflite":
        return OnnxStream(path, probes, threads)
    from edge_vc_export.tflite.stream import TfliteStream  # needs the extra `tflite`

    return TfliteStream(path, probes, threads)

"""Locate the trunk's output in a graph file of either format."""

from __future__ import annotations

from pathlib import Path

import onnx

from edge_vc_export.errors import ParityError

TRUNK_READER = "head.controls"
"""Name of the node whose input is the trunk's output."""


def trunk_output(path: str | Path) -> str:
    """Return the name of the tensor between trunk and head, which is the same in both formats."""
    if Path(path).suffix == ".tflite":
        from edge_vc_export.tflite.file import TfliteFile  # needs the extra `tflite`

        found = TfliteFile.read(path).input_of(TRUNK_READER)
        if found is not None:
            return found
    else:
        for node in onnx.load(path).graph.node:
            if node.name == TRUNK_READER:
                return str(node.input[0])
    raise ParityError(f"{path}: has no node {TRUNK_READER!r}, where its trunk ends is unknown")

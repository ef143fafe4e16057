"""Write a streaming layer, or an ONNX file of one, as a TFLite file of one hop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx

from edge_vc.nn.layer import StreamingLayer
from edge_vc_export.formats import DYNAMIC
from edge_vc_export.onnx.export import build_graph, graph_metadata
from edge_vc_export.onnx.graph import Graph
from edge_vc_export.tflite.dynamic import integer_weights
from edge_vc_export.tflite.lowering import check_operators, lower
from edge_vc_runtime.files.writing import write_whole


def export_tflite(
    model: StreamingLayer,
    path: str | Path,
    *,
    hop: int,
    sample_rate: int,
    name: str,
    precision: str,
    licence: str,
) -> Path:
    """Write ``model``, audio ``[1, 1, 1, hop]`` in and out, as a TFLite file of one hop.

    Takes the arguments of `edge_vc_export.onnx.export.export_onnx` and writes tensors with the same
    names and shapes; all inputs and outputs are float32. ``precision`` may also be
    ``dynamic-int8``: a float model whose trunk stores its weights as integers. The same model
    gives the same bytes.

    Raises `UnsupportedLayerError` before anything is converted, and `ValueError` if the model
    cannot run in hops of this size, or has no quantised layer.
    """
    graph = build_graph(model, hop=hop, name=name, precision=precision, check=check_operators)
    metadata = graph_metadata(
        model, hop=hop, sample_rate=sample_rate, name=name, precision=precision, licence=licence
    )
    return _save(graph, path, metadata)


def convert_onnx(source: str | Path, path: str | Path, precision: str | None = None) -> Path:
    """Convert an ONNX file written by `export_onnx` to TFLite, without a new calibration.

    ``precision="dynamic-int8"`` converts a float file to that precision. Raises
    `UnsupportedLayerError` or, for a file not written by this package, `ValueError`.
    """
    model = onnx.load(source)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    if "edge_vc.hop" not in metadata:
        raise ValueError(f"{source}: carries no edge_vc metadata, it was not exported by edge-vc")
    if precision is not None:
        metadata["edge_vc.precision"] = precision
    return _save(Graph(model), path, metadata)


def _save(graph: Graph, path: str | Path, metadata: Mapping[str, str]) -> Path:
    """Convert in memory, then write the file, so that a failure leaves no file."""
    dynamic = metadata["edge_vc.precision"] == DYNAMIC
    data = lower(graph, metadata, integer_weights(graph) if dynamic else frozenset())
    return write_whole(path, data)

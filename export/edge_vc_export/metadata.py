"""Metadata and I/O signature of a graph file in either format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx

from edge_vc.models.student.inputs import input_from_dict
from edge_vc_runtime.bundle.input_spec import InputSpec


@dataclass(frozen=True)
class GraphMetadata:
    """Metadata and I/O signature of a graph file."""

    name: str
    format: str
    """``onnx`` or ``tflite``."""
    precision: str
    sample_rate: int
    """Hz."""
    hop: int
    """Samples per run."""
    delay: int
    """Look-ahead in samples."""
    licence: str
    states: Mapping[str, tuple[int, ...]]
    """Shapes by name, in the graph's order."""
    nodes: int
    quantized_convolutions: int
    """Convolutions whose weights and activations are integers."""
    inputs: tuple[InputSpec, ...] = ()
    """Conditioning inputs, in the graph's order."""


def graph_metadata(path: str | Path) -> GraphMetadata:
    """Read the metadata of a graph file written by this package; raises `ValueError` for others."""
    path = Path(path)
    if path.suffix != ".tflite":
        return _onnx_metadata(path)
    from edge_vc_export.tflite.file import TfliteFile  # needs the extra `tflite`

    file = TfliteFile.read(path)
    return metadata_from(
        path,
        file.metadata,
        {name: file.shape(name) for name in file.inputs},
        nodes=file.operators,
        quantized_convolutions=file.integer_convolutions,
        format="tflite",
    )


def metadata_from(
    path: Path,
    said: Mapping[str, str],
    inputs: Mapping[str, tuple[int, ...]],
    *,
    nodes: int,
    quantized_convolutions: int,
    format: str,
) -> GraphMetadata:
    """Combine a graph's metadata entries and its inputs ``{name: shape}``."""
    if "edge_vc.hop" not in said:
        raise ValueError(f"{path}: carries no edge_vc metadata, it was not exported by edge-vc")
    return GraphMetadata(
        name=said["edge_vc.name"],
        format=format,
        precision=said["edge_vc.precision"],
        sample_rate=int(said["edge_vc.sample_rate"]),
        hop=int(said["edge_vc.hop"]),
        delay=int(said["edge_vc.delay"]),
        licence=said["edge_vc.licence"],
        states={
            name.removeprefix("state."): shape
            for name, shape in inputs.items()
            if name.startswith("state.")
        },
        nodes=nodes,
        quantized_convolutions=quantized_convolutions,
        inputs=tuple(map(input_from_dict, json.loads(said.get("edge_vc.inputs", "[]")))),
    )


def _onnx_metadata(path: Path) -> GraphMetadata:
    model = onnx.load(path)
    said = {entry.key: entry.value for entry in model.metadata_props}
    made_by = {output: node.op_type for node in model.graph.node for output in node.output}
    integer = [
        node
        for node in model.graph.node
        if node.op_type == "Conv"
        and all(made_by.get(name) == "DequantizeLinear" for name in node.input[:2])
    ]
    inputs = {
        value.name: tuple(size.dim_value for size in value.type.tensor_type.shape.dim)
        for value in model.graph.input
    }
    return metadata_from(
        path,
        said,
        inputs,
        nodes=len(model.graph.node),
        quantized_convolutions=len(integer),
        format="onnx",
    )

"""A `.tflite` file whose graph is valid and has the inputs and outputs of its manifest."""

from __future__ import annotations

from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.engines.io_signature import Found, check_signature
from edge_vc_runtime.engines.litert_engine.tflite_graph import FLOAT32, TfliteError, TfliteGraph
from edge_vc_runtime.engines.litert_engine.tflite_reader import read_graph


def read_checked(manifest: Manifest, file: str, data: bytes) -> TfliteGraph:
    """Read a file that has exactly the manifest's inputs and outputs; raises `EngineError`."""
    try:
        graph = read_graph(data)
    except TfliteError as error:
        raise EngineError(f"{file}: {error}") from error
    inputs, outputs = (
        {name: _found(graph, index) for name, index in side.items()}
        for side in (graph.inputs, graph.outputs)
    )
    check_signature(manifest, file, inputs, outputs, "float32")
    for name, index in graph.outputs.items():
        if index in graph.inputs.values():
            raise EngineError(f"{file}: {name} is an input too; export it with a copy in between")
    return graph


def _found(graph: TfliteGraph, index: int) -> Found:
    tensor = graph.tensors[index]
    return tensor.shape, "float32" if tensor.type == FLOAT32 else f"type {tensor.type}"

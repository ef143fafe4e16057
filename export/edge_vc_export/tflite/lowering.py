"""Lower an ONNX graph of one hop to the operators of a TFLite file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import onnx

from edge_vc_export.formats import UnsupportedOperationError
from edge_vc_export.onnx.graph import Graph
from edge_vc_export.tflite.arithmetic import ARITHMETIC
from edge_vc_export.tflite.convolution import CONVOLUTION
from edge_vc_export.tflite.model import ModelBuilder
from edge_vc_export.tflite.movement import MOVEMENT
from edge_vc_export.tflite.quantization import QUANTIZATION
from edge_vc_export.tflite.recurrence import RECURRENCE
from edge_vc_export.tflite.tensor_map import TensorMap, reshape

Lower = Callable[[TensorMap, onnx.NodeProto], None]

OPERATORS: dict[str, Lower] = {
    **ARITHMETIC,
    **CONVOLUTION,
    **MOVEMENT,
    **QUANTIZATION,
    **RECURRENCE,
}
"""Lowering of each ONNX operation to TFLite."""
FOLDED = ("BatchNormalization",)
"""Operations that are removed from a graph before it is written."""


def check_operators(graph: Graph) -> None:
    """Raise `UnsupportedLayerError` for the first node without an equivalent in TFLite."""
    for node in graph.nodes:
        if node.op_type not in OPERATORS and node.op_type not in FOLDED:
            error = UnsupportedOperationError(f"TFLite does not support {node.op_type}")
            raise error.in_layer(graph.layer_of(node))


def lower(
    graph: Graph, metadata: Mapping[str, str], integer_weights: frozenset[str] = frozenset()
) -> bytes:
    """Return the TFLite file of a cleaned graph.

    Inputs, outputs and intermediate values keep their names and shapes. ``integer_weights`` are
    the float weights to store as integers. Raises `FormatError` before anything is written.
    """
    check_operators(graph)
    builder = ModelBuilder()
    tensors = TensorMap(graph, builder, integer_weights)
    inputs = [tensors.new(name, tensors.shape(name)) for name in graph.inputs]
    for node in graph.nodes:
        if not all(tensors.has(name) for name in node.output):
            _write(tensors, node)
    outputs: list[int] = []
    for name in graph.outputs:
        outputs.append(_output(tensors, name, {*inputs, *outputs}))
    return builder.to_bytes(inputs, outputs, metadata)


def _write(tensors: TensorMap, node: onnx.NodeProto) -> None:
    try:
        OPERATORS[node.op_type](tensors, node)
    except UnsupportedOperationError as error:
        raise error.in_layer(tensors.graph.layer_of(node)) from error


def _output(tensors: TensorMap, name: str, taken: set[int]) -> int:
    """Return a separate tensor for a graph output, with its ONNX shape and name."""
    shape = tensors.shape(name)
    index = tensors.as_is(name)
    if index in taken:
        copy = tensors.builder.tensor(name, shape)
        reshape(tensors.builder, index, copy, shape)
        return copy
    tensors.builder.rename(index, name)
    return index

"""Scales and zero points of a quantised graph in TFLite's convention."""

from __future__ import annotations

import numpy as np
import onnx

from edge_vc_export.onnx.graph import Graph
from edge_vc_export.tflite.model import TensorQuantParams

SIGNED = 128
"""Offset between ONNX Runtime's unsigned activations and TFLite's signed ones."""


def activation_quant_params(graph: Graph) -> dict[str, TensorQuantParams]:
    """Return scale and zero point of every value produced by a quantiser of the graph."""
    quant_params = {}
    for node in graph.nodes:
        if node.op_type == "QuantizeLinear":
            scale, zero = (graph.constants[name] for name in node.input[1:3])
            quant_params[node.output[0]] = TensorQuantParams(scale, int(zero.item()) - SIGNED)
    return quant_params


def weight_quant_params(graph: Graph, dequantizer: onnx.NodeProto, axis: int) -> TensorQuantParams:
    """Return the scales of constant integers, one for each index of ``axis``."""
    scale = graph.constants[dequantizer.input[1]]
    return TensorQuantParams(np.asarray(scale), 0, axis)


def is_integer(graph: Graph, node: onnx.NodeProto) -> bool:
    """Return whether a node is a convolution with integer input and output."""
    if node.op_type != "Conv" or len(node.input) < 3:
        return False
    makers = [graph.producer(name) for name in node.input[:3]]
    reader = graph.only_consumer(node.output[0])
    dequantized = all(m is not None and m.op_type == "DequantizeLinear" for m in makers)
    return dequantized and reader is not None and reader.op_type == "QuantizeLinear"

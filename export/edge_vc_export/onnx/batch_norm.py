"""Fold batch norms into the preceding convolutions: the same values with one node less each."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import onnx

from edge_vc_export.onnx.graph import Array, Graph, attribute


def fold_batch_norms(graph: Graph) -> None:
    """Multiply batch norms into the convolution before them, quantised or not.

    Quantised weights keep their integers: the factor is applied to their scales. These must be
    positive, so a negative factor negates the integers.
    """
    for node in [n for n in graph.nodes if n.op_type == "BatchNormalization"]:
        conv = graph.producer(node.input[0])
        if conv is None or conv.op_type != "Conv" or graph.only_consumer(conv.output[0]) is None:
            continue
        gain, offset, mean, variance = (graph.constants[name] for name in node.input[1:5])
        factor = gain / np.sqrt(variance + _number(attribute(node, "epsilon", 1e-5)))
        path = _weight_path(graph, conv)
        bias = graph.constants[conv.input[2]] if len(conv.input) > 2 else np.zeros_like(mean)
        shifted = ((bias - mean) * factor + offset).astype(np.float32)
        _scale_weights(graph, conv, factor)
        _set_bias(graph, conv, shifted, path)
        graph.redirect(node.output[0], node.input[0])
        graph.remove(node)


def _weight_path(graph: Graph, conv: onnx.NodeProto) -> str:
    """Return the name of a convolution's weights, looking through their quantisers."""
    name = conv.input[1]
    while (maker := graph.producer(name)) is not None:
        name = maker.input[0]
    return str(name).removesuffix(".int8").removesuffix(".weight")


def _scale_weights(graph: Graph, conv: onnx.NodeProto, factor: Array) -> None:
    dequantizer = graph.producer(conv.input[1])
    if dequantizer is None:
        weights = graph.constants[conv.input[1]]
        scaled = weights * factor.reshape(-1, *[1] * (weights.ndim - 1))
        _replace(graph, conv, 1, scaled.astype(np.float32))
        return
    integers, scale = (graph.constants[name] for name in dequantizer.input[:2])
    signs = np.where(factor < 0, -1, 1).reshape(-1, *[1] * (integers.ndim - 1))
    turned = np.clip(integers.astype(np.int16) * signs, -128, 127).astype(np.int8)
    scales = np.broadcast_to(scale, factor.shape) * np.abs(factor)
    _replace(graph, dequantizer, 0, turned)
    _replace(graph, dequantizer, 1, scales.astype(np.float32))
    _replace(graph, dequantizer, 2, np.zeros(factor.shape, np.int8))


def _replace(graph: Graph, node: onnx.NodeProto, place: int, array: Array) -> None:
    """Replace one node's constant, keeping the name if it has no other reader."""
    name = str(node.input[place])
    if len(graph.consumers(name)) > 1:
        name = graph.fresh(name)
    graph.constants[name] = array
    node.input[place] = name


def _set_bias(graph: Graph, conv: onnx.NodeProto, bias: Array, path: str) -> None:
    name = f"{path}.bias" if "." in path else graph.fresh("bias")
    if name in graph.constants and name not in conv.input:
        name = graph.fresh("bias")
    graph.constants[name] = bias
    conv.input[2:] = [name]


def _number(value: object) -> float:
    return float(cast(Any, value))

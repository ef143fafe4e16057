"""Rewrites that need fewer nodes for the same numbers, up to the last bits of a float."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import onnx
from onnx import helper

from edge_vc_export.graph import Array, Graph, attribute


def simplify(graph: Graph) -> None:
    """Fold batch norms, sums and offsets into convolutions, and merge what engines have whole."""
    for edit in (
        drop_single_splits,
        fold_batch_norms,
        fold_sums,
        fold_offsets,
        use_hard_sigmoid,
        use_quotients,
    ):
        edit(graph)
        graph.sweep()


def drop_single_splits(graph: Graph) -> None:
    """Drop splits into one part, which slicing a single frame leaves behind."""
    for node in [n for n in graph.nodes if n.op_type == "Split" and len(n.output) == 1]:
        if node.output[0] not in graph.outputs:
            graph.redirect(node.output[0], node.input[0])
            graph.remove(node)


def fold_batch_norms(graph: Graph) -> None:
    """Multiply batch norms into the convolution before them, quantised or not.

    Quantised weights keep their integers: the factor goes into their scales. Those are
    positive, so a negative factor turns the integers around.
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
    """Give one node another constant, under the old name when nobody else reads that."""
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


def fold_sums(graph: Graph) -> None:
    """Let a 1x1 convolution over sums of pairs read the pairs: summing is a product with ones.

    Summing a middle axis of two costs ONNX Runtime more than any matrix of the front end.
    """
    for node in [n for n in graph.nodes if n.op_type == "ReduceSum"]:
        shapes = graph.shapes()
        conv, before = graph.only_consumer(node.output[0]), shapes[node.input[0]]
        if conv is None or not _sums_into(graph, node, conv, before):
            continue
        repeated = np.repeat(graph.constants[conv.input[1]], before[2], axis=1)
        conv.input[1] = graph.constant(repeated, "weight")
        target = np.array([1, before[1] * before[2], 1, before[3]], dtype=np.int64)
        shape = graph.constant(target, "shape")
        conv.input[0] = graph.insert("Reshape", [node.input[0], shape], before=conv)


def _sums_into(
    graph: Graph, node: onnx.NodeProto, conv: onnx.NodeProto, before: tuple[int, ...]
) -> bool:
    axes = graph.constants.get(node.input[1]) if len(node.input) > 1 else None
    pairs = len(before) == 4 and axes is not None and axes.tolist() == [2]
    weights = graph.constants.get(conv.input[1]) if conv.op_type == "Conv" else None
    plain = weights is not None and weights.shape[1:] == (before[1], 1, 1)
    return pairs and plain and attribute(node, "keepdims", 1) == 1


def fold_offsets(graph: Graph) -> None:
    """Add a constant behind a float convolution to its bias instead."""
    for node in [n for n in graph.nodes if n.op_type == "Add"]:
        for data, other in (node.input, reversed(node.input)):
            offset, conv = graph.constants.get(other), graph.producer(data)
            if conv is None or conv.op_type != "Conv" or offset is None:
                continue
            weights = graph.constants.get(conv.input[1])
            if weights is None:
                continue
            channels = (weights.shape[0],)
            if offset.size not in (1, *channels) or graph.only_consumer(data) is None:
                continue
            if offset.size > 1 and offset.shape[-3:] != (*channels, 1, 1):
                continue
            bias = graph.constants[conv.input[2]] if len(conv.input) > 2 else np.float32(0)
            total = np.broadcast_to(offset.reshape(-1) + bias, channels).astype(np.float32)
            _set_bias(graph, conv, total, _weight_path(graph, conv))
            graph.redirect(node.output[0], data)
            graph.remove(node)
            break


def use_hard_sigmoid(graph: Graph) -> None:
    """Write ``clip(a * x + b, 0, 1)`` as the one node that computes it."""
    for node in [n for n in graph.nodes if n.op_type == "Clip"]:
        limits = [graph.constants.get(name) for name in node.input[1:]]
        if len(limits) != 2 or any(limit is None for limit in limits):
            continue
        if [float(cast(Array, limit).item()) for limit in limits] != [0.0, 1.0]:
            continue
        source, gain, offset = _affine(graph, str(node.input[0]))
        if source != node.input[0]:
            graph.insert(
                "HardSigmoid",
                [source],
                before=node,
                output=node.output[0],
                alpha=gain,
                beta=offset,
            )
            graph.remove(node)


def _affine(graph: Graph, name: str) -> tuple[str, float, float]:
    """Return ``(x, a, b)`` such that the tensor is ``a * x + b`` for scalars a and b."""
    gain, offset = 1.0, 0.0
    while graph.only_consumer(name) is not None and (node := graph.producer(name)) is not None:
        constant = graph.constants.get(node.input[1]) if len(node.input) == 2 else None
        if constant is None or constant.size != 1:
            break
        number = float(constant.item())
        match node.op_type:
            case "Add":
                offset += gain * number
            case "Sub":
                offset -= gain * number
            case "Mul":
                gain *= number
            case "Div":
                gain /= number
            case _:
                break
        name = str(node.input[0])
    return name, gain, offset


def use_quotients(graph: Graph) -> None:
    """Write a product with a reciprocal as a quotient."""
    for node in [n for n in graph.nodes if n.op_type == "Mul"]:
        for numerator, inverse in (node.input, reversed(node.input)):
            maker = graph.producer(inverse)
            if maker is None or maker.op_type != "Reciprocal":
                continue
            if graph.only_consumer(inverse) is None:
                continue
            quotient = helper.make_node("Div", [numerator, maker.input[0]], list(node.output))
            graph.nodes[graph.position(node)] = quotient
            break


def _number(value: object) -> float:
    return float(cast(Any, value))

"""Quantise-dequantise pairs in the form that ONNX Runtime turns into integer kernels.

A fake-quantised network is exported with float weights behind quantisers, and with pairs wherever
the training tool inserted them. That runs slower than float. ONNX Runtime fuses a convolution
if its input, weights, bias and output are all quantised, activations unsigned with one scale
per tensor, weights signed with one scale per output channel (Jacob et al., 2018). The passes
here produce that form without changing a value, except for the rounding of the biases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx

from edge_vc_export.onnx.batch_norm import fold_batch_norms
from edge_vc_export.onnx.graph import Array, Graph, attribute

_PASSED_THROUGH = ("Concat", "Reshape", "Slice", "Transpose")
"""Operations that copy values, so that quantising before or after them is the same."""


@dataclass(frozen=True)
class QuantizedForm:
    """Which convolutions of a graph an engine can run on integers."""

    integer: tuple[str, ...]
    """Module paths of those whose input, weights, bias and output are quantised."""
    floating: tuple[str, ...]
    """Those with quantised weights but no quantised output, which were made float again."""


def quantize_graph(graph: Graph) -> QuantizedForm:
    """Bring every quantiser of the graph into the form that engines fuse.

    Raises `ValueError` for quantisers that no supported engine runs fast: activations with one
    scale per channel, weights with a zero point.
    """
    bake_weights(graph)
    unsign_activations(graph)
    fold_batch_norms(graph)
    share_quantizers(graph)
    lift_quantizers(graph)
    drop_rectifiers(graph)
    floating = release_unfused(graph)
    integer = quantize_biases(graph)
    graph.sweep()
    graph.sort()
    return QuantizedForm(tuple(integer), tuple(floating))


def bake_weights(graph: Graph) -> None:
    """Turn float weights behind a quantiser into signed integers behind a dequantiser."""
    for node in [n for n in graph.nodes if n.op_type == "QuantizeLinear"]:
        weights = graph.constants.get(node.input[0])
        if weights is None:
            continue
        axis = _axis(node)
        scale, zero = graph.constants[node.input[1]], graph.constants[node.input[2]]
        if zero.dtype != np.int8 or zero.any():
            raise ValueError(
                f"weights {node.input[0]} are quantised with a zero point: quantise them symmetric"
            )
        divisor = _along(scale, axis, weights.ndim)
        baked = np.clip(np.rint(weights / divisor), -128, 127).astype(np.int8)
        graph.constants[node.output[0]] = baked
        graph.remove(node)
        name = f"{node.input[0]}.int8"
        graph.constants[name] = graph.constants.pop(node.output[0])
        graph.redirect(node.output[0], name)


def unsign_activations(graph: Graph) -> None:
    """Shift signed activations by 128, which gives the same values and is twice as fast."""
    for node in list(graph.nodes):
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
            continue
        if node.input[0] in graph.constants:
            continue
        scale, zero = graph.constants[node.input[1]], graph.constants[node.input[2]]
        if scale.size != 1:
            raise ValueError(
                f"activation {node.input[0]} has {scale.size} scales: quantise it per tensor"
            )
        shift = 128 if zero.dtype == np.int8 else 0
        unsigned = np.array(int(zero.item()) + shift, dtype=np.uint8)
        node.input[1] = graph.constant(scale.reshape(()).astype(np.float32), "scale")
        node.input[2] = graph.constant(unsigned, "zero")
        del node.attribute[:]


def share_quantizers(graph: Graph) -> None:
    """Merge a dequantiser with a following quantiser of the same parameters."""
    for node in [n for n in graph.nodes if n.op_type == "QuantizeLinear"]:
        before = graph.producer(node.input[0])
        if before is None or before.op_type != "DequantizeLinear":
            continue
        if _numbers(graph, before) == _numbers(graph, node):
            graph.redirect(node.output[0], before.input[0])


def lift_quantizers(graph: Graph) -> None:
    """Quantise the inputs of a copying operation instead of its output.

    A convolution before a concatenation with its own past is fused only if its output itself is
    quantised.
    """
    while (found := _next_to_lift(graph)) is not None:
        node, copy = found
        count = len(copy.input) if copy.op_type == "Concat" else 1
        for place in range(count):
            inputs = [copy.input[place], *node.input[1:]]
            quantized = graph.insert("QuantizeLinear", inputs, before=copy)
            copy.input[place] = graph.insert(
                "DequantizeLinear", [quantized, *node.input[1:]], before=copy
            )
        _quantize_other_readers(graph, copy, node)


def _next_to_lift(graph: Graph) -> tuple[onnx.NodeProto, onnx.NodeProto] | None:
    """Return a quantiser and the copying operation before it that keeps a convolution float."""
    for node in graph.nodes:
        copy = graph.producer(node.input[0]) if node.op_type == "QuantizeLinear" else None
        if copy is not None and copy.op_type in _PASSED_THROUGH and _waits(graph, copy):
            return node, copy
    return None


def _waits(graph: Graph, copy: onnx.NodeProto) -> bool:
    """Return whether a quantised convolution's float output reaches a copying operation."""
    for name in copy.input if copy.op_type == "Concat" else copy.input[:1]:
        maker = _rectified(graph, name)
        if maker is None:
            continue
        if _is_quantized(graph, maker) or (
            maker.op_type in _PASSED_THROUGH and _waits(graph, maker)
        ):
            return True
    return False


def _quantize_other_readers(graph: Graph, copy: onnx.NodeProto, node: onnx.NodeProto) -> None:
    """Feed a copy's other readers, such as the next state, from its quantised form."""
    parameters = node.input[1:]
    for reader in graph.consumers(copy.output[0]):
        if reader is node:
            continue
        dequantized = graph.insert("DequantizeLinear", [node.output[0], *parameters], before=reader)
        graph.remove(node)
        graph.nodes.insert(graph.position(copy) + 1, node)
        for place, name in enumerate(reader.input):
            if name == copy.output[0]:
                reader.input[place] = dequantized
        if reader.op_type == "Slice":
            _quantize_result(graph, reader, list(parameters))


def _quantize_result(graph: Graph, node: onnx.NodeProto, parameters: list[str]) -> None:
    """Run a copying node on integers: dequantise its result instead of its input."""
    result = node.output[0]
    node.output[0] = graph.fresh("copied")
    quantized = graph.insert("QuantizeLinear", [node.output[0], *parameters])
    graph.insert("DequantizeLinear", [quantized, *parameters], output=result)


def drop_rectifiers(graph: Graph) -> None:
    """Drop a Relu before or after a quantiser with zero point 0, which already clips at 0."""
    for node in [n for n in graph.nodes if n.op_type == "Relu"]:
        maker = graph.producer(node.input[0])
        if maker is not None and maker.op_type == "DequantizeLinear" and not _zero(graph, maker):
            graph.redirect(node.output[0], node.input[0])
            graph.remove(node)
            continue
        readers = graph.consumers(node.output[0])
        quantizers = [reader for reader in readers if reader.op_type == "QuantizeLinear"]
        if node.output[0] in graph.outputs or len(quantizers) != len(readers):
            continue
        if not any(_zero(graph, quantizer) for quantizer in quantizers):
            graph.redirect(node.output[0], node.input[0])
            graph.remove(node)


def release_unfused(graph: Graph) -> list[str]:
    """Make convolutions without quantised output float again; return their weights' names.

    An engine would dequantise their weights in every run.
    """
    released = []
    for conv in [n for n in graph.nodes if _is_quantized(graph, n)]:
        reader = graph.only_consumer(conv.output[0])
        if reader is not None and reader.op_type == "QuantizeLinear":
            continue
        weights = graph.producer(conv.input[1])
        if weights is None:
            continue
        integers, scale = (graph.constants[name] for name in weights.input[:2])
        values = integers.astype(np.float32) * _along(scale, _axis(weights), integers.ndim)
        name = weights.input[0].removesuffix(".int8")
        graph.constants[name] = values.astype(np.float32)
        conv.input[1] = name
        _bypass_input(graph, conv)
        released.append(name.removeprefix("layer.").removesuffix(".weight"))
    graph.sweep()
    return released


def _bypass_input(graph: Graph, conv: onnx.NodeProto) -> None:
    """Remove the rounding of a float convolution's input, unless it fuses the one before it."""
    dequantizer = graph.producer(conv.input[0])
    quantizer = None if dequantizer is None else graph.producer(dequantizer.input[0])
    if quantizer is None or quantizer.op_type != "QuantizeLinear":
        return
    if not _is_quantized(graph, _rectified(graph, quantizer.input[0])):
        conv.input[0] = quantizer.input[0]


def quantize_biases(graph: Graph) -> list[str]:
    """Store biases as 32-bit integers in units of the accumulator; return the weights' names."""
    done = []
    for conv in [n for n in graph.nodes if _is_quantized(graph, n)]:
        weights, source = graph.producer(conv.input[1]), graph.producer(conv.input[0])
        if weights is None or source is None:
            continue
        done.append(_bias_name(weights).removeprefix("layer.").removesuffix(".bias"))
        if len(conv.input) < 3 or conv.input[2] not in graph.constants:
            continue
        bias = graph.constants[conv.input[2]]
        unit = graph.constants[weights.input[1]] * graph.constants[source.input[1]]
        unit = np.broadcast_to(unit, bias.shape).astype(np.float32)
        limit = float(2**31 - 129)  # the largest float32 below 2**31
        integers = np.clip(np.rint(bias / unit), -limit, limit).astype(np.int32)
        name = f"{_bias_name(weights)}.int32"
        graph.constants[name] = integers
        inputs = [
            name,
            graph.constant(unit, "scale"),
            graph.constant(np.zeros(bias.shape, np.int32), "zero"),
        ]
        conv.input[2] = graph.insert("DequantizeLinear", inputs, before=conv, axis=0)
    return done


def _is_quantized(graph: Graph, node: onnx.NodeProto | None) -> bool:
    """Return whether a node is a convolution with quantised input and weights."""
    if node is None or node.op_type != "Conv":
        return False
    makers = [graph.producer(name) for name in node.input[:2]]
    return all(maker is not None and maker.op_type == "DequantizeLinear" for maker in makers)


def _rectified(graph: Graph, name: str) -> onnx.NodeProto | None:
    """Return the node that makes a tensor, looking through a Relu."""
    maker = graph.producer(name)
    if maker is not None and maker.op_type == "Relu":
        return graph.producer(maker.input[0])
    return maker


def _numbers(graph: Graph, node: onnx.NodeProto) -> tuple[float, int]:
    return float(graph.constants[node.input[1]].item()), _zero(graph, node)


def _zero(graph: Graph, node: onnx.NodeProto) -> int:
    return int(graph.constants[node.input[2]].item())


def _axis(node: onnx.NodeProto) -> int:
    return int(str(attribute(node, "axis", 1)))


def _along(scale: Array, axis: int, rank: int) -> Array:
    return scale.reshape([-1 if place == axis else 1 for place in range(rank)])


def _bias_name(weights: onnx.NodeProto) -> str:
    return str(weights.input[0]).removesuffix(".int8").removesuffix(".weight") + ".bias"

"""Convolutions and pooling, in float and integer arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema

from edge_vc_export.formats import UnsupportedOperationError
from edge_vc_export.onnx.graph import Array, attribute
from edge_vc_export.tflite.dynamic import round_weights
from edge_vc_export.tflite.model import TensorQuantParams
from edge_vc_export.tflite.quant_params import is_integer, weight_quant_params
from edge_vc_export.tflite.tensor_map import TO_FIRST, Form, TensorMap

Lower = Callable[[TensorMap, onnx.NodeProto], None]
INTEGER_VERSION = 3
"""First version of the operators that supports weights with a scale per channel."""
MIXED_VERSION = 5
"""First version that supports such weights with float activations."""
LANES = 8
"""Outputs that XNNPACK's float kernels compute at once on Arm."""


@dataclass(frozen=True)
class Operands:
    """Inputs and output of a convolution, looking through quantisers."""

    source: str
    result: str
    weights: Array
    """``[out, in / groups, h, w]``, integers or floats."""
    weight_quant_params: TensorQuantParams | None
    bias: Array
    bias_quant_params: TensorQuantParams | None
    rectified: bool
    """Whether a ReLU follows as the only reader of the output."""


def _convolution(tensors: TensorMap, node: onnx.NodeProto) -> None:
    operands = _integer(tensors, node) or _mixed(tensors, node) or _float(tensors, node)
    groups = int(cast(int, attribute(node, "group", 1)))
    if any(cast("list[int]", attribute(node, "pads", [0]))):
        raise UnsupportedOperationError(
            "this convolution pads its input, which streaming layers do by state"
        )
    depthwise = groups > 1 and operands.weights.shape[1] == 1
    source = tensors.channels_last(operands.source)
    if groups == 1 and operands.weight_quant_params is None:
        _padded(tensors, node, operands, source)
        return
    result = tensors.new_channels_last(operands.result)
    _write(tensors, node, operands, source, result, groups if depthwise else 0)


def _padded(tensors: TensorMap, node: onnx.NodeProto, operands: Operands, source: int) -> None:
    """Pad the outputs of a float convolution to a multiple of `LANES`; readers ignore the padding.

    On Arm, XNNPACK takes four times as long for any other number of outputs (one frame of 144
    channels to 193: 62 k instructions, to 200: 19 k).
    """
    out = len(operands.weights)
    padding = -out % LANES
    _, _, height, width = tensors.shape(operands.result)
    if not padding or out < LANES:
        result = tensors.new_channels_last(operands.result)
        _write(tensors, node, operands, source, result, 0)
        return
    wide = replace(
        operands,
        weights=np.pad(operands.weights, [(0, padding), (0, 0), (0, 0), (0, 0)]),
        bias=np.pad(operands.bias, (0, padding)),
    )
    shape = (1, height, width, out + padding)
    result = tensors.builder.tensor(f"{operands.result}.wide", shape)
    _write(tensors, node, wide, source, result, 0)
    tensors.padded[operands.result] = Form(result, shape, TO_FIRST)


def _write(
    tensors: TensorMap,
    node: onnx.NodeProto,
    operands: Operands,
    source: int,
    result: int,
    depth: int,
) -> None:
    """Add the operator; ``depth`` is the number of groups if it is depthwise, else 0."""
    axis, order = (3, (1, 2, 3, 0)) if depth else (0, (0, 2, 3, 1))
    quant_params = operands.weight_quant_params
    weights = tensors.builder.constant(
        f"{node.name}.weight",
        operands.weights.transpose(order),
        None if quant_params is None else replace(quant_params, axis=axis),
    )
    bias = tensors.builder.constant(f"{node.name}.bias", operands.bias, operands.bias_quant_params)
    options = _options(node, len(operands.weights) // depth if depth else None)
    if operands.rectified:
        options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    tensors.builder.operator(
        "DEPTHWISE_CONV_2D" if depth else "CONV_2D",
        [source, weights, bias],
        [result],
        version=_version(operands, depth),
        options=options,
    )


def _version(operands: Operands, depth: int) -> int:
    """Return the lowest version of the operator that supports these operand types."""
    if operands.weight_quant_params is None:
        return 2 if depth else 1
    return INTEGER_VERSION if operands.bias_quant_params else MIXED_VERSION


def _options(node: onnx.NodeProto, multiplier: int | None) -> Any:
    options = schema.Conv2DOptionsT() if multiplier is None else schema.DepthwiseConv2DOptionsT()
    if multiplier is not None:
        options.depthMultiplier = multiplier
    options.padding = schema.Padding.VALID
    options.strideH, options.strideW = cast("list[int]", attribute(node, "strides", [1, 1]))
    dilations = cast("list[int]", attribute(node, "dilations", [1, 1]))
    options.dilationHFactor, options.dilationWFactor = dilations
    return options


def _float(tensors: TensorMap, node: onnx.NodeProto) -> Operands:
    constants = tensors.graph.constants
    weights = constants[node.input[1]]
    bias = constants[node.input[2]] if len(node.input) > 2 else np.zeros(len(weights), np.float32)
    reader = tensors.graph.only_consumer(node.output[0])
    rectified = reader is not None and reader.op_type == "Relu"
    result = reader.output[0] if reader is not None and rectified else node.output[0]
    return Operands(node.input[0], result, weights, None, bias, None, rectified)


def _mixed(tensors: TensorMap, node: onnx.NodeProto) -> Operands | None:
    """Return the operands of a float convolution whose weights become integers, or None."""
    if node.input[1] not in tensors.integer_weights:
        return None
    operands = _float(tensors, node)
    weights, quant_params = round_weights(operands.weights)
    return replace(operands, weights=weights, weight_quant_params=quant_params)


def _integer(tensors: TensorMap, node: onnx.NodeProto) -> Operands | None:
    """Return the operands of a convolution between quantisers; None for a float one."""
    graph = tensors.graph
    if not is_integer(graph, node):
        return None
    source, weights, bias = cast(
        "list[onnx.NodeProto]", [graph.producer(name) for name in node.input]
    )
    reader = graph.consumers(node.output[0])[0]
    return Operands(
        source=source.input[0],
        result=reader.output[0],
        weights=graph.constants[weights.input[0]],
        weight_quant_params=weight_quant_params(graph, weights, 0),
        bias=graph.constants[bias.input[0]],
        bias_quant_params=weight_quant_params(graph, bias, 0),
        rectified=False,
    )


def _average_pool(tensors: TensorMap, node: onnx.NodeProto) -> None:
    options = schema.Pool2DOptionsT()
    options.padding = schema.Padding.VALID
    options.filterHeight, options.filterWidth = cast("list[int]", attribute(node, "kernel_shape"))
    options.strideH, options.strideW = cast("list[int]", attribute(node, "strides", [1, 1]))
    source = tensors.channels_last(node.input[0])
    result = tensors.new_channels_last(node.output[0])
    tensors.builder.operator("AVERAGE_POOL_2D", [source], [result], options=options)


CONVOLUTION: dict[str, Lower] = {"AveragePool": _average_pool, "Conv": _convolution}

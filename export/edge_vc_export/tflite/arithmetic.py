"""Element-wise operations, and means, sums and softmax along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema

from edge_vc_export.formats import UnsupportedOperationError
from edge_vc_export.onnx.graph import attribute
from edge_vc_export.tflite.model import Shape
from edge_vc_export.tflite.tensor_map import TensorMap, is_vector, transpose

Lower = Callable[[TensorMap, onnx.NodeProto], None]
Options = Callable[[], Any]
MOST_AXES = 4
"""Number of axes that every runtime can broadcast over."""


def unary(code: str, options: Options | None = None) -> Lower:
    """Return the lowering of a unary element-wise operation, for any element order."""

    def lower(tensors: TensorMap, node: onnx.NodeProto) -> None:
        source = tensors.forms(node.input[0])[0]
        result = tensors.new(node.output[0], source.shape, source.order)
        made = options() if options else None
        tensors.builder.operator(code, [source.index], [result], options=made)

    return lower


def binary(code: str, options: Options | None = None) -> Lower:
    """Return the lowering of a binary operation with broadcasting."""

    def lower(tensors: TensorMap, node: onnx.NodeProto) -> None:
        names, shape = list(node.input), tensors.shape(node.output[0])
        if _channels_last(tensors, names, shape):
            sources = [tensors.channels_last(name) for name in names]
            result = tensors.new_channels_last(node.output[0])
        else:
            axes = _axes(tensors, names, shape)
            sources = [
                tensors.reshaped(name, _seen(tensors.shape(name), shape, axes)) for name in names
            ]
            result = tensors.new(node.output[0], _seen(shape, shape, axes))
        made = options() if options else None
        tensors.builder.operator(code, sources, [result], options=made)

    return lower


def _channels_last(tensors: TensorMap, names: list[str], shape: Shape) -> bool:
    """Return whether ``[1, C, H, 1]`` is better computed with channels last.

    This is so if an operand is already in that order, or if one is constant along ``H``: as the
    innermost axis, ``H`` would be a loop of two or three elements for every channel.
    """
    if len(shape) != MOST_AXES or is_vector(shape) or shape[0] != 1 or shape[3] != 1:
        return False
    computed = [name for name in names if tensors.constant(name) is None]
    if any(tensors.is_channels_last(name) for name in computed):
        return True
    operands = [(1,) * (MOST_AXES - len(size)) + size for size in map(tensors.shape, names)]
    return any(size[1] > 1 and size[2] < shape[2] for size in operands)


def _axes(tensors: TensorMap, names: list[str], shape: Shape) -> tuple[int, ...]:
    """Return the axes of the result to compute over; omitted axes have one element.

    The neighbours of a vector are mostly channels-last vectors, so only its long axis is kept
    unless all operands are available in the result's own shape.
    """
    everything = tuple(range(len(shape)))
    if len(shape) <= MOST_AXES and (not is_vector(shape) or _ready(tensors, names, shape)):
        return everything
    kept = tuple(axis for axis in everything if shape[axis] != 1)
    if len(kept) > MOST_AXES:
        raise UnsupportedOperationError(
            f"TFLite takes arithmetic over at most {MOST_AXES} axes, this is over {shape}"
        )
    return kept


def _ready(tensors: TensorMap, names: list[str], shape: Shape) -> bool:
    """Return whether every computed non-scalar operand has a tensor of the result's shape."""
    return all(
        any(form.order is None and form.shape == shape for form in tensors.forms(name))
        for name in names
        if tensors.constant(name) is None and np.prod(tensors.shape(name)) > 1
    )


def _seen(operand: Shape, shape: Shape, axes: tuple[int, ...]) -> Shape:
    """Return an operand's sizes along ``axes`` of the result, with leading ones."""
    padded = (1,) * (len(shape) - len(operand)) + operand
    sizes = tuple(padded[axis] for axis in axes)
    return (1,) * (MOST_AXES - len(sizes)) + sizes


def _clip(tensors: TensorMap, node: onnx.NodeProto) -> None:
    """Lower a clip; each bound is a scalar constant, and an empty name means no bound."""
    source = tensors.forms(node.input[0])[0]
    bounds = [("MAXIMUM", node.input[1]), ("MINIMUM", "".join(node.input[2:3]))]
    present = [(code, name) for code, name in bounds if name]
    index = source.index
    for place, (code, name) in enumerate(present):
        last = place == len(present) - 1
        bound = tensors.reshaped(name, (1,) * len(source.shape))
        result = (
            tensors.new(node.output[0], source.shape, source.order)
            if last
            else tensors.builder.tensor(f"{node.output[0]}.raised", source.shape)
        )
        options = schema.MaximumMinimumOptionsT()
        tensors.builder.operator(code, [index, bound], [result], options=options)
        index = result


def _reduce(code: str) -> Lower:
    """Return the lowering of a reduction over constant axes."""

    def lower(tensors: TensorMap, node: onnx.NodeProto) -> None:
        name, shape = node.input[0], tensors.shape(node.input[0])
        axes = _reduced(tensors, node)
        options = schema.ReducerOptionsT()
        options.keepDims = bool(attribute(node, "keepdims", 1))
        if is_vector(shape) and options.keepDims:
            shape, axes = (1, 1, 1, int(np.prod(shape))), [3]
        over = tensors.builder.constant("axes", np.array(axes, np.int32))
        source = tensors.reshaped(name, shape)
        result = tensors.new(node.output[0], tensors.shape(node.output[0]))
        tensors.builder.operator(code, [source, over], [result], options=options)

    return lower


def _reduced(tensors: TensorMap, node: onnx.NodeProto) -> list[int]:
    given = attribute(node, "axes")
    if given is None:
        given = tensors.graph.constants[node.input[1]].tolist()
    rank = len(tensors.shape(node.input[0]))
    return sorted(axis % rank for axis in cast("list[int]", given))


def _softmax(tensors: TensorMap, node: onnx.NodeProto) -> None:
    """Lower a softmax; TFLite supports only the last axis, so others are transposed and back."""
    shape = tensors.shape(node.input[0])
    axis = int(cast(int, attribute(node, "axis", -1))) % len(shape)
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    if all(size == 1 for size in shape[axis + 1 :]):
        source = tensors.reshaped(node.input[0], shape[: axis + 1])
        result = tensors.new(node.output[0], shape[: axis + 1])
    else:
        order = tuple(np.roll(np.arange(len(shape)), -axis - 1).tolist())
        turned = tuple(shape[place] for place in order)
        source = tensors.builder.tensor(f"{node.name}.turned", turned)
        transpose(tensors.builder, tensors.as_is(node.input[0]), source, order)
        back = tuple(np.argsort(order).tolist())
        result = tensors.new(node.output[0], turned, back)
    tensors.builder.operator("SOFTMAX", [source], [result], options=options)


ARITHMETIC: dict[str, Lower] = {
    "Add": binary("ADD", schema.AddOptionsT),
    "Sub": binary("SUB", schema.SubOptionsT),
    "Mul": binary("MUL", schema.MulOptionsT),
    "Div": binary("DIV", schema.DivOptionsT),
    "Max": binary("MAXIMUM", schema.MaximumMinimumOptionsT),
    "Min": binary("MINIMUM", schema.MaximumMinimumOptionsT),
    "Exp": unary("EXP", schema.ExpOptionsT),
    "Log": unary("LOG"),
    "Sin": unary("SIN"),
    "Cos": unary("COS", schema.CosOptionsT),
    "Neg": unary("NEG", schema.NegOptionsT),
    "Abs": unary("ABS", schema.AbsOptionsT),
    "Sqrt": unary("SQRT"),
    "Floor": unary("FLOOR"),
    "Round": unary("ROUND"),
    "Relu": unary("RELU"),
    "Tanh": unary("TANH"),
    "Sigmoid": unary("LOGISTIC"),
    "Clip": _clip,
    "ReduceMean": _reduce("MEAN"),
    "ReduceSum": _reduce("SUM"),
    "Softmax": _softmax,
}

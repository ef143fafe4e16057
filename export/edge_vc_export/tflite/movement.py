"""Operations that move elements: concatenate, split, slice, transpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema

from edge_vc_export.formats import UnsupportedOperationError
from edge_vc_export.onnx.graph import attribute
from edge_vc_export.tflite.model import Shape
from edge_vc_export.tflite.tensor_map import TO_FIRST, Form, TensorMap, is_vector, slice_out

Lower = Callable[[TensorMap, onnx.NodeProto], None]


def _reshape(tensors: TensorMap, node: onnx.NodeProto) -> None:
    """Record the input as a form of the output; readers request the shape they need."""
    name = node.input[0]
    if all(form.order is not None for form in tensors.forms(name)):
        tensors.as_is(name)
    plain = [form for form in tensors.forms(name) if form.order is None]
    tensors.record(node.output[0], *plain)


def _transpose(tensors: TensorMap, node: onnx.NodeProto) -> None:
    """Record the order only; nothing is moved until a reader needs it."""
    name, shape = node.input[0], tensors.shape(node.input[0])
    order = tuple(cast("list[int]", attribute(node, "perm")))
    for form in tensors.forms(name):
        if form.order is not None:
            turned = tuple(form.order[axis] for axis in order)
            tensors.record(node.output[0], Form(form.index, form.shape, turned))
        elif is_vector(shape):
            tensors.record(node.output[0], form)
        elif form.shape == shape:
            tensors.record(node.output[0], Form(form.index, form.shape, order))
    if not tensors.has(node.output[0]):
        tensors.record(node.output[0], Form(tensors.as_is(name), shape, order))


def _concat(tensors: TensorMap, node: onnx.NodeProto) -> None:
    shape = tensors.shape(node.output[0])
    axis = _axis(node, shape)
    vector = is_vector(shape)
    labels = [tensors.shape(name) for name in node.input]
    if vector:
        labels = [_flat(label) for label in labels]
    sources = [
        tensors.reshaped(name, label) for name, label in zip(node.input, labels, strict=True)
    ]
    result = tensors.new(node.output[0], _flat(shape) if vector else shape)
    join(tensors, sources, result, 3 if vector else axis)


def join(tensors: TensorMap, sources: list[int], result: int, axis: int) -> None:
    """Concatenate tensors along ``axis``."""
    options = schema.ConcatenationOptionsT()
    options.axis = axis
    tensors.builder.operator("CONCATENATION", sources, [result], options=options)


def _slice(tensors: TensorMap, node: onnx.NodeProto) -> None:
    shape = tensors.shape(node.input[0])
    starts, ends, axes, steps = _bounds(tensors, node)
    if len(axes) != 1:
        raise UnsupportedOperationError(
            f"TFLite slices along one axis here, this is along {len(axes)} at once"
        )
    axis, step = axes[0] % len(shape), steps[0]
    start, end, _ = slice(starts[0], ends[0], step).indices(shape[axis])
    if step == -1 and end == -1 and start == shape[axis] - 1:
        _flip(tensors, node, axis)
    elif step == 1:
        cut(tensors, node.input[0], node.output[0], axis, start)
    else:
        raise UnsupportedOperationError(f"TFLite does not support slices in steps of {step}")


def _bounds(
    tensors: TensorMap, node: onnx.NodeProto
) -> tuple[list[int], list[int], list[int], list[int]]:
    lists = [tensors.graph.constants[name].reshape(-1).tolist() for name in node.input[1:]]
    starts, ends, *rest = lists
    axes = rest[0] if rest else list(range(len(starts)))
    return starts, ends, axes, rest[1] if len(rest) > 1 else [1] * len(starts)


def _split(tensors: TensorMap, node: onnx.NodeProto) -> None:
    axis, start = _axis(node, tensors.shape(node.input[0])), 0
    for name in node.output:
        cut(tensors, node.input[0], name, axis, start)
        start += tensors.shape(name)[axis]


def cut(tensors: TensorMap, name: str, part: str, axis: int, start: int) -> None:
    """Slice ``part``, with its ONNX size, starting at ``start`` along ``axis``."""
    whole, size = tensors.padded.get(name), tensors.shape(part)
    if whole is None:
        whole = sliceable(tensors, name, axis)
    if whole.order is not None:
        size = tuple(size[whole.order.index(place)] for place in range(len(size)))
        axis = whole.order[axis]
    elif is_vector(tensors.shape(name)):
        size, axis = _flat(size), 3
    index = _cut(tensors, whole.index, part, size, axis, start)
    tensors.record(part, Form(index, size, whole.order))


def sliceable(tensors: TensorMap, name: str, axis: int) -> Form:
    """Return a form of a value, preferring one with contiguous slices along ``axis``."""
    shape = tensors.shape(name)
    if is_vector(shape):
        return Form(tensors.reshaped(name, _flat(shape)), _flat(shape))
    if max(shape[:axis], default=1) > 1 and len(shape) == 4 and axis > 1:
        _, channels, height, width = shape
        return Form(tensors.channels_last(name), (1, height, width, channels), TO_FIRST)
    return Form(tensors.as_is(name), shape)


def _cut(tensors: TensorMap, source: int, part: str, size: Shape, axis: int, start: int) -> int:
    begin = tuple(start if place == axis else 0 for place in range(len(size)))
    result = tensors.tensor(part, size)
    slice_out(tensors.builder, source, result, begin, size)
    return result


def _flip(tensors: TensorMap, node: onnx.NodeProto, axis: int) -> None:
    """Slice every index and concatenate in reverse, since engines do not support a reversal."""
    whole, count = sliceable(tensors, node.input[0], axis), tensors.shape(node.input[0])[axis]
    place = axis if whole.order is None else whole.order[axis]
    if whole.order is None and is_vector(whole.shape):
        place = 3
    size = tuple(1 if here == place else full for here, full in enumerate(whole.shape))
    parts = [
        _cut(tensors, whole.index, f"{node.output[0]}.{index}", size, place, index)
        for index in reversed(range(count))
    ]
    join(tensors, parts, tensors.new(node.output[0], whole.shape, whole.order), place)


def _axis(node: onnx.NodeProto, shape: Shape) -> int:
    return int(cast(int, attribute(node, "axis", 0))) % len(shape)


def _flat(shape: Shape) -> Shape:
    return (1, 1, 1, int(np.prod(shape)))


def _identity(tensors: TensorMap, node: onnx.NodeProto) -> None:
    tensors.record(node.output[0], *tensors.forms(node.input[0]))


MOVEMENT: dict[str, Lower] = {
    "Concat": _concat,
    "Identity": _identity,
    "Reshape": _reshape,
    "Slice": _slice,
    "Split": _split,
    "Transpose": _transpose,
}

"""The output shapes that LiteRT computes for an operator from its inputs, constants and options.

A delegate lays out memory by the shapes in the file and a kernel by those that it computes itself;
if the two differ, one of them reads or writes beyond the other's memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

from edge_vc_runtime.engines.litert_engine.tflite_graph import Operator, Tensor
from edge_vc_runtime.engines.litert_engine.tflite_numbers import INT32, numbers

Shape = tuple[int, ...]
Inputs = Sequence[Tensor | None]
Rule = Callable[[Operator, Inputs, int], Sequence[Shape] | None]
"""Takes the operator, its inputs and its number of outputs; returns None if none is valid."""
_BROADCAST_RANK = 4
"""Maximum rank of tensors of different shapes: with more, kernels abort or write out of bounds."""


def made_shapes(operator: Operator, inputs: Inputs, outputs: int) -> Sequence[Shape] | None:
    """Return the shape of each output; None for an operator that cannot be computed.

    The operator is one of `RULES`, and its inputs have the form given by its signature.
    """
    return RULES[operator.kind.name](operator, inputs, outputs)


def _shape(inputs: Inputs, place: int = 0) -> Shape:
    tensor = inputs[place]
    return () if tensor is None else tensor.shape


def window_length(length: int, window: int, stride: int, dilation: int, valid: bool) -> int:
    """Return the number of steps of a window; 0 if it extends beyond an unpadded input."""
    reach = (window - 1) * dilation + 1
    if not valid:
        return -(-length // stride)
    return (length - reach) // stride + 1 if reach <= length else 0


def _steps(operator: Operator, sides: Shape, window: Shape) -> Shape | None:
    """Return height and width after a window; None if nothing is left."""
    options = operator.options
    made = tuple(
        window_length(
            length, size, options[f"stride_{along}"], options.get(f"dilation_{along}", 1),
            bool(options["padding"]),
        )
        for length, size, along in zip(sides, window, "hw", strict=True)
    )  # fmt: skip
    return made if min(made) > 0 else None


def _convolution(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    (count, *sides, _channels), (rows, *window, _columns) = _shape(inputs), _shape(inputs, 1)
    made = _steps(operator, tuple(sides), tuple(window))
    return [(count, *made, rows)] if made else None


def _depthwise(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    (count, *sides, channels), (_one, *window, rows) = _shape(inputs), _shape(inputs, 1)
    made = _steps(operator, tuple(sides), tuple(window))
    multiplier = operator.options["multiplier"]
    fits = made is not None and multiplier in (0, rows // channels)
    return [(count, *made, rows)] if made and fits else None


def _transposed(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    made = tuple(numbers(inputs[0]) or ())
    window, given = _shape(inputs, 1)[1:3], _shape(inputs, 2)
    back = _steps(operator, made[1:3], window)
    return [made] if back == given[1:3] else None


def _pool(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    count, *sides, channels = _shape(inputs)
    made = _steps(operator, tuple(sides), tuple(operator.options[f"filter_{a}"] for a in "hw"))
    return [(count, *made, channels)] if made else None


def _reshape(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    given = inputs[1] if len(inputs) > 1 else None
    sizes = list(operator.sizes) if given is None else numbers(given)
    if sizes is None or (given is not None and (len(given.shape) != 1 or given.type != INT32)):
        return None
    total, rest = prod(_shape(inputs)), prod(size for size in sizes if size != -1)
    if any(size < 1 and size != -1 for size in sizes) or sizes.count(-1) > 1 or total % rest:
        return None
    made = tuple(total // rest if size == -1 else size for size in sizes)
    return [made] if prod(made) == total else None


def _squeeze(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    shape = _shape(inputs)
    axes = [axis % len(shape) for axis in operator.sizes if -len(shape) <= axis < len(shape)]
    if len(axes) != len(operator.sizes) or any(shape[axis] != 1 for axis in axes):
        return None
    axes = axes or [axis for axis, size in enumerate(shape) if size == 1]
    return [tuple(size for axis, size in enumerate(shape) if axis not in axes)]


def _expand(_: Operator, inputs: Inputs, __: int) -> Sequence[Shape] | None:
    shape, axes = _shape(inputs), numbers(inputs[1])
    if axes is None or len(axes) != 1 or not -len(shape) - 1 <= axes[0] <= len(shape):
        return None
    place = axes[0] % (len(shape) + 1)
    return [(*shape[:place], 1, *shape[place:])]


def _reduce(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    shape = _shape(inputs)
    axes = {axis % len(shape) for axis in numbers(inputs[1]) or []}
    if operator.options["keep_dims"]:
        return [tuple(1 if axis in axes else size for axis, size in enumerate(shape))]
    return [tuple(size for axis, size in enumerate(shape) if axis not in axes)]


def _concatenate(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    shapes = [tensor.shape for tensor in inputs if tensor is not None]
    rank = len(shapes[0])
    if not -rank <= operator.options["axis"] < rank:
        return None
    axis = operator.options["axis"] % rank
    if len({(*s[:axis], *s[axis + 1 :]) for s in shapes}) > 1:
        return None
    return [(*shapes[0][:axis], sum(s[axis] for s in shapes), *shapes[0][axis + 1 :])]


def _pack(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    shape, axis = _shape(inputs), operator.options["axis"]
    if operator.options["parts"] != len(inputs) or not -len(shape) - 1 <= axis <= len(shape):
        return None
    place = axis % (len(shape) + 1)
    return [(*shape[:place], len(inputs), *shape[place:])]


def _unpack(operator: Operator, inputs: Inputs, outputs: int) -> Sequence[Shape] | None:
    shape, axis = _shape(inputs), operator.options["axis"]
    if not -len(shape) <= axis < len(shape):
        return None
    place = axis % len(shape)
    right = operator.options["parts"] == outputs == shape[place]
    return [(*shape[:place], *shape[place + 1 :])] * outputs if right else None


def _split(operator: Operator, inputs: Inputs, outputs: int) -> Sequence[Shape] | None:
    sized = operator.kind.name == "SPLIT_V"
    shape = _shape(inputs, 0 if sized else 1)
    axis, sizes = numbers(inputs[2 if sized else 0]), numbers(inputs[1]) if sized else None
    if operator.options["parts"] != outputs or axis is None or len(axis) != 1:
        return None
    place = axis[0] % len(shape)
    lengths = [shape[place] // outputs] * outputs if sizes is None else sizes
    return [(*shape[:place], length, *shape[place + 1 :]) for length in lengths]


def _gather(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    shape, axis, indices = _shape(inputs), operator.options["axis"], numbers(inputs[1])
    if not -len(shape) <= axis < len(shape) or indices is None:
        return None
    place = axis % len(shape)
    if any(not 0 <= index < shape[place] for index in indices):
        return None
    return [(*shape[:place], *_shape(inputs, 1), *shape[place + 1 :])]


def _strided(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    shape, options = _shape(inputs), operator.options
    begins, ends, strides = (numbers(tensor) or [] for tensor in inputs[1:4])
    made: list[int] = []
    for axis, size in enumerate(shape):
        if axis >= len(begins):
            made.append(size)
        elif options["shrink_mask"] >> axis & 1:
            if not -size <= begins[axis] < size or strides[axis] != 1:
                return None
        else:
            begin = None if options["begin_mask"] >> axis & 1 else begins[axis]
            end = None if options["end_mask"] >> axis & 1 else ends[axis]
            made.append(len(range(*slice(begin, end, strides[axis]).indices(size))))
    return [tuple(made)] if min(made, default=1) > 0 else None


def _mirror(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    shape, sizes = _shape(inputs), numbers(inputs[1]) or []
    most = [size - 1 + operator.options["symmetric"] for size in shape]
    pairs = list(zip(sizes[::2], sizes[1::2], strict=True))
    if any(max(pair) > limit for pair, limit in zip(pairs, most, strict=True)):
        return None
    return [tuple(size + sum(pair) for size, pair in zip(shape, pairs, strict=True))]


def _tile(_: Operator, inputs: Inputs, __: int) -> Sequence[Shape] | None:
    shape, times = _shape(inputs), numbers(inputs[1]) or []
    if len(times) != len(shape):
        return None
    return [tuple(size * count for size, count in zip(shape, times, strict=True))]


def _broadcast_to(_: Operator, inputs: Inputs, __: int) -> Sequence[Shape] | None:
    shape, wanted = _shape(inputs), tuple(numbers(inputs[1]) or ())
    return [wanted] if len(wanted) >= len(shape) and broadcast([shape, wanted]) == wanted else None


def broadcast(shapes: Sequence[Shape]) -> Shape | None:
    """Return the common shape after broadcasting, None if there is none."""
    rank = max(map(len, shapes))
    columns = zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True)
    found = [{size for size in column if size != 1} or {1} for column in columns]
    return tuple(sizes.pop() for sizes in found) if all(len(s) == 1 for s in found) else None


def _broadcast(_: Operator, inputs: Inputs, __: int) -> Sequence[Shape] | None:
    shapes = [tensor.shape for tensor in inputs if tensor is not None]
    made = broadcast(shapes)
    if made is None or (len(set(shapes)) > 1 and len(made) > _BROADCAST_RANK):
        return None
    return [made]


def _matrices(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    (*left, rows, columns), (*right, others, width) = _shape(inputs), _shape(inputs, 1)
    if operator.options["turn_left"]:
        rows, columns = columns, rows
    if operator.options["turn_right"]:
        others, width = width, others
    batch = broadcast([tuple(left), tuple(right)]) if left or right else ()
    return None if columns != others or batch is None else [(*batch, rows, width)]


def _dense(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    shape, (rows, columns) = _shape(inputs), _shape(inputs, 1)
    if operator.options["keep_dims"]:
        return [(*shape[:-1], rows)] if shape[-1] == columns else None
    return [(prod(shape) // columns, rows)]


def _to_depth(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    (count, height, width, depth), block = _shape(inputs), operator.options["block"]
    if height % block or width % block:
        return None
    return [(count, height // block, width // block, depth * block * block)]


def _to_space(operator: Operator, inputs: Inputs, _: int) -> Sequence[Shape] | None:
    (count, height, width, depth), block = _shape(inputs), operator.options["block"]
    if depth % (block * block):
        return None
    return [(count, height * block, width * block, depth // (block * block))]


RULES: Mapping[str, Rule] = {
    "CONV_2D": _convolution, "DEPTHWISE_CONV_2D": _depthwise, "TRANSPOSE_CONV": _transposed,
    "AVERAGE_POOL_2D": _pool, "MAX_POOL_2D": _pool, "L2_POOL_2D": _pool, "RESHAPE": _reshape,
    "SQUEEZE": _squeeze, "EXPAND_DIMS": _expand, "CONCATENATION": _concatenate, "PACK": _pack,
    "UNPACK": _unpack, "SPLIT": _split, "SPLIT_V": _split,
    "GATHER": _gather, "STRIDED_SLICE": _strided, "MIRROR_PAD": _mirror,
    "TILE": _tile, "BROADCAST_TO": _broadcast_to, "BATCH_MATMUL": _matrices,
    "FULLY_CONNECTED": _dense, "SPACE_TO_DEPTH": _to_depth, "DEPTH_TO_SPACE": _to_space,
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN"), _reduce),
    **dict.fromkeys(
        (
            "ADD", "MUL", "SUB", "DIV", "MAXIMUM", "MINIMUM", "POW", "FLOOR_DIV", "FLOOR_MOD",
            "SQUARED_DIFFERENCE", "ATAN2", "LOGICAL_OR", "LOGICAL_AND", "PRELU", "LESS", "GREATER",
            "GREATER_EQUAL", "LESS_EQUAL", "EQUAL", "NOT_EQUAL", "SELECT", "SELECT_V2",
        ),
        _broadcast,
    ),
}  # fmt: skip
"""Rules by the operator's name in TFLite's schema."""

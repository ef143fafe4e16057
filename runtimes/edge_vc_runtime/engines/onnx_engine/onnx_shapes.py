"""The shapes of an `.onnx` graph's values, as far as they follow from its inputs and constants.

Shapes that an operator's rule cannot determine, and everything derived from them, remain unknown:
they are left to the library, in a separate process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

from edge_vc_runtime.engines.onnx_engine.onnx_node import KnownValues, OnnxNode, Shape, WindowError
from edge_vc_runtime.engines.onnx_engine.onnx_windows import WINDOWED, windowed_shape

Rule = Callable[[OnnxNode, KnownValues, Shape], Sequence[Shape] | None]
"""Takes the operator, the known values, and the shape of its first input."""


def learn_shapes(node: OnnxNode, known: KnownValues) -> None:
    """Add the shapes of an operator's outputs; raises `WindowError` if it is inconsistent."""
    if node.kind in WINDOWED:
        made = windowed_shape(node, known)
        _keep(node, known, None if made is None else [made])
        return
    rule, first = RULES.get(node.kind), known.shape(node, 0)
    if rule is not None and first is not None:
        _keep(node, known, rule(node, known, first))


def _keep(node: OnnxNode, known: KnownValues, made: Sequence[Shape] | None) -> None:
    for name, shape in zip(node.outputs, made or (), strict=False):
        if name:
            known.shapes[name] = shape


def _axis(axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise WindowError(f"has the axis {axis}, its input has {rank}")
    return axis % rank


def _same(_: OnnxNode, __: KnownValues, first: Shape) -> Sequence[Shape] | None:
    return [first]


def _global(_: OnnxNode, __: KnownValues, first: Shape) -> Sequence[Shape] | None:
    return [(*first[:2], *(1 for _ in first[2:]))]


def _broadcast(node: OnnxNode, known: KnownValues, _: Shape) -> Sequence[Shape] | None:
    shapes = [known.shapes.get(name) for name in node.inputs]
    found = [shape for shape in shapes if shape is not None]
    return [_broadcast_shape(found)] if len(found) == len(shapes) else None


def _broadcast_shape(shapes: Sequence[Shape]) -> Shape:
    rank = max(map(len, shapes))
    if not rank:
        return ()
    columns = zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True)
    sizes = [{size for size in column if size != 1} or {1} for column in columns]
    if any(len(each) > 1 for each in sizes):
        raise WindowError(f"has inputs of the shapes {', '.join(map(str, shapes))[:80]}")
    return tuple(each.pop() for each in sizes)


def _concatenate(node: OnnxNode, known: KnownValues, first: Shape) -> Sequence[Shape] | None:
    shapes = [known.shapes.get(name) for name in node.inputs]
    found = [shape for shape in shapes if shape is not None]
    if len(found) < len(shapes):
        return None
    axis = _axis(node.number("axis", 1), len(first))
    if len({(*shape[:axis], *shape[axis + 1 :]) for shape in found}) > 1:
        raise WindowError(f"joins the shapes {', '.join(map(str, found))[:80]}")
    return [(*first[:axis], sum(shape[axis] for shape in found), *first[axis + 1 :])]


def _slice(node: OnnxNode, known: KnownValues, first: Shape) -> Sequence[Shape] | None:
    starts, ends = known.listed(node, 1, "starts"), known.listed(node, 2, "ends")
    if starts is None or ends is None:
        return None
    axes = known.listed(node, 3, "axes") or list(range(len(starts)))
    steps = known.listed(node, 4, "steps") or [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise WindowError(f"has {len(starts)} starts, {len(ends)} ends and {len(axes)} axes")
    made = list(first)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        place = _axis(axis, len(first))
        made[place] = len(range(*slice(start, end, step).indices(first[place])))
    return [tuple(made)]


def _reshape(node: OnnxNode, known: KnownValues, first: Shape) -> Sequence[Shape] | None:
    sizes = known.listed(node, 1, "shape")
    if sizes is None or node.number("allowzero", 0):
        return None
    filled = [first[i] if size == 0 and i < len(first) else size for i, size in enumerate(sizes)]
    rest, total = prod(size for size in filled if size != -1), prod(first)
    if filled.count(-1) > 1 or any(size < -1 for size in filled) or (rest and total % rest):
        raise WindowError(f"makes {sizes!s:.60} of {list(first)!s:.60}")
    made = tuple(total // rest if size == -1 and rest else size for size in filled)
    if prod(made) != total:
        raise WindowError(f"makes {sizes!s:.60} of {list(first)!s:.60}")
    return [made]


def _transpose(node: OnnxNode, _: KnownValues, first: Shape) -> Sequence[Shape] | None:
    order = list(node.numbers.get("perm", range(len(first))[::-1]))
    if sorted(order) != list(range(len(first))):
        raise WindowError(f"orders {len(first)} axes as {order!s:.60}")
    return [tuple(first[axis] for axis in order)]


def _flatten(node: OnnxNode, _: KnownValues, first: Shape) -> Sequence[Shape] | None:
    axis = node.number("axis", 1)
    place = len(first) if axis == len(first) else _axis(axis, len(first))
    return [(prod(first[:place]), prod(first[place:]))]


def _tile(node: OnnxNode, known: KnownValues, first: Shape) -> Sequence[Shape] | None:
    times = known.listed(node, 1, "repeats")
    if times is None:
        return None
    if len(times) != len(first) or min(times, default=1) < 0:
        raise WindowError(f"repeats {list(first)!s:.60} {times!s:.60} times")
    return [tuple(size * count for size, count in zip(first, times, strict=True))]


def _expand(node: OnnxNode, known: KnownValues, first: Shape) -> Sequence[Shape] | None:
    sizes = known.listed(node, 1, "shape")
    return None if sizes is None else [_broadcast_shape([first, tuple(sizes)])]


def _split(node: OnnxNode, known: KnownValues, first: Shape) -> Sequence[Shape] | None:
    axis, count = _axis(node.number("axis", 0), len(first)), len(node.outputs)
    sizes = known.listed(node, 1, "split")
    if sizes is None:
        if len(node.inputs) > 1:
            return None
        each = -(-first[axis] // count)
        sizes = [each] * (count - 1) + [first[axis] - each * (count - 1)]
    if len(sizes) != count or sum(sizes) != first[axis] or min(sizes) < 0:
        raise WindowError(f"cuts {first[axis]} items into {sizes!s:.60}")
    return [(*first[:axis], size, *first[axis + 1 :]) for size in sizes]


def _reduce(node: OnnxNode, known: KnownValues, first: Shape) -> Sequence[Shape] | None:
    listed = known.listed(node, 1, "axes")
    if listed is None and (len(node.inputs) > 1 or node.number("noop_with_empty_axes", 0)):
        return None
    axes = {_axis(axis, len(first)) for axis in listed or range(len(first))}
    if node.number("keepdims", 1):
        return [tuple(1 if axis in axes else size for axis, size in enumerate(first))]
    return [tuple(size for axis, size in enumerate(first) if axis not in axes)]


def _squeeze(node: OnnxNode, known: KnownValues, first: Shape) -> Sequence[Shape] | None:
    listed = known.listed(node, 1, "axes")
    if listed is None:
        return None
    axes = {_axis(axis, len(first)) for axis in listed}
    if any(first[axis] != 1 for axis in axes):
        raise WindowError(f"takes the axes {listed!s:.60} from {list(first)!s:.60}")
    return [tuple(size for axis, size in enumerate(first) if axis not in axes)]


def _unsqueeze(node: OnnxNode, known: KnownValues, first: Shape) -> Sequence[Shape] | None:
    listed = known.listed(node, 1, "axes")
    if listed is None:
        return None
    rank = len(first) + len(listed)
    axes = {_axis(axis, rank) for axis in listed}
    sizes = iter(first)
    if len(axes) != len(listed):
        raise WindowError(f"adds the axes {listed!s:.60}")
    return [tuple(1 if axis in axes else next(sizes) for axis in range(rank))]


def _gather(node: OnnxNode, known: KnownValues, first: Shape) -> Sequence[Shape] | None:
    places, axis = known.shape(node, 1), _axis(node.number("axis", 0), len(first))
    return None if places is None else [(*first[:axis], *places, *first[axis + 1 :])]


def _pad(node: OnnxNode, known: KnownValues, first: Shape) -> Sequence[Shape] | None:
    pads = known.listed(node, 1, "pads")
    if pads is None or len(node.inputs) > 3:
        return None
    if len(pads) != 2 * len(first):
        raise WindowError(f"has {len(pads)} pads for {len(first)} axes")
    sums = zip(first, pads, pads[len(first) :], strict=False)
    made = tuple(size + before + after for size, before, after in sums)
    if min(made, default=1) < 0:
        raise WindowError(f"cuts {pads!s:.60} off {list(first)!s:.60}")
    return [made]


def _matrices(node: OnnxNode, known: KnownValues, first: Shape) -> Sequence[Shape] | None:
    second = known.shape(node, 1)
    if second is None or len(first) < 2 or len(second) < 2:
        return None
    if first[-1] != second[-2]:
        raise WindowError(f"multiplies {list(first)!s:.60} by {list(second)!s:.60}")
    batch = _broadcast_shape([first[:-2], second[:-2]])
    return [(*batch, first[-2], second[-1])]


def _product(node: OnnxNode, known: KnownValues, first: Shape) -> Sequence[Shape] | None:
    second = known.shape(node, 1)
    if second is None or len(first) != 2 or len(second) != 2:
        return None
    left = first[::-1] if node.number("transA", 0) else first
    right = second[::-1] if node.number("transB", 0) else second
    if left[1] != right[0]:
        raise WindowError(f"multiplies {list(left)!s:.60} by {list(right)!s:.60}")
    return [(left[0], right[1])]


def _recurrent(node: OnnxNode, known: KnownValues, first: Shape) -> Sequence[Shape] | None:
    """Return the shapes of Y, its last step and, for an LSTM, the last cell."""
    weights, back = known.shape(node, 1), known.shape(node, 2)
    if weights is None or back is None or node.number("layout", 0):
        return None
    if len(first) != 3 or len(weights) != 3 or len(back) != 3 or first[2] != weights[2]:
        raise WindowError(f"has weights of {list(weights)!s:.40} for {list(first)!s:.40}")
    gates = {"GRU": 3, "LSTM": 4, "RNN": 1}[node.kind]
    directions, rows, hidden = weights[0], weights[1], back[2]
    if rows != gates * hidden or back[:2] != weights[:2]:
        raise WindowError(f"has weights of {list(weights)!s:.40} and {list(back)!s:.40}")
    if node.number("hidden_size", hidden) != hidden:
        raise WindowError(f"has {hidden} rows of weights for a hidden size of another number")
    for place, shape in ((3, (directions, 2 * rows)), (5, (directions, first[1], hidden))):
        given = known.shape(node, place)
        if given is not None and given != shape:
            raise WindowError(f"has {list(given)!s:.40} where {list(shape)} belongs")
    last = (directions, first[1], hidden)
    return [(first[0], directions, first[1], hidden), last, last]


_SAME = """
Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Cast Ceil Celu Cos Cosh Elu Erf Exp Floor Gelu
HardSigmoid HardSwish Hardmax Identity IsInf IsNaN LeakyRelu Log LogSoftmax Mish Neg Not Reciprocal
Relu Round Selu Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu
LpNormalization LRN MeanVarianceNormalization Clip QuantizeLinear DequantizeLinear
DynamicQuantizeLinear Dropout CumSum Trilu InstanceNormalization BatchNormalization
GroupNormalization LayerNormalization RMSNormalization ScatterElements ScatterND
"""
_TOGETHER = """
Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual
Mod Mul Or PRelu Pow Sub Xor Max Mean Min Sum Where
"""
_REDUCING = """
ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
ReduceSumSquare
"""
RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_SAME.split(), _same),
    **dict.fromkeys(_TOGETHER.split(), _broadcast),
    **dict.fromkeys(_REDUCING.split(), _reduce),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"), _global),
    **dict.fromkeys(("GRU", "LSTM", "RNN"), _recurrent),
    "Concat": _concatenate, "Slice": _slice, "Reshape": _reshape, "Transpose": _transpose,
    "Split": _split, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze, "Gather": _gather, "Pad": _pad,
    "Flatten": _flatten, "Tile": _tile, "Expand": _expand, "MatMul": _matrices,
    "MatMulInteger": _matrices, "Gemm": _product,
}  # fmt: skip
"""Rules by operator name."""

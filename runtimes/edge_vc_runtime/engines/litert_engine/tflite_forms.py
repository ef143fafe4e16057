"""Consistency of the shapes and types of an operator's inputs and outputs.

Each form takes the operator's tensors and returns whether they are consistent. It considers no
options except those that a kernel divides by; the library infers the rest and rejects what it does
not support.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np

from edge_vc_runtime.engines.litert_engine.tflite_graph import FLOAT32, Tensor
from edge_vc_runtime.engines.litert_engine.tflite_numbers import INT32, INT64, numbers
from edge_vc_runtime.engines.litert_engine.tflite_shapes import broadcast

Tensors = Sequence[Tensor | None]
"""Inputs by position; None for an omitted bias."""
Form = Callable[[Tensors, Sequence[Tensor]], bool]

BOOL = 6
"""Number of the type in TFLite's schema."""
WHOLE = {3: np.uint8, 9: np.int8, 7: np.int16}
"""Types of quantised tensors."""
RANK = 6
"""Maximum number of dimensions supported by kernels."""
_LONGEST_PAD = 1 << 16


def _of_one_type(tensors: Sequence[Tensor | None]) -> bool:
    return len({tensor.type for tensor in tensors if tensor is not None}) == 1


def _same(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    given, made = inputs[0], outputs[0]
    return given is not None and _of_one_type([given, made]) and given.shape == made.shape


def _cast(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    return inputs[0] is not None and inputs[0].shape == outputs[0].shape


def _quantize(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    return _cast(inputs, outputs) and outputs[0].type in WHOLE


def _dequantize(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    known = inputs[0] is not None and (inputs[0].type in WHOLE or inputs[0].type == 1)
    return _cast(inputs, outputs) and known and outputs[0].type == FLOAT32


def _broadcast(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    return _of_one_type([*inputs, *outputs]) and _fit_broadcast(inputs, outputs[0])


def _fit_broadcast(inputs: Tensors, made: Tensor) -> bool:
    return broadcast([t.shape for t in inputs if t is not None]) == made.shape


def _compare(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    made = outputs[0]
    return _of_one_type(inputs) and made.type == BOOL and _fit_broadcast(inputs, made)


def _select(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    which = inputs[0]
    chosen = which is not None and which.type == BOOL
    return chosen and _of_one_type([*inputs[1:], *outputs]) and _fit_broadcast(inputs, outputs[0])


def _alike(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    shapes = {tensor.shape for tensor in (*inputs, *outputs) if tensor is not None}
    return _of_one_type([*inputs, *outputs]) and len(shapes) == 1


def _flat(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    """Return whether input and output have equally many values; other inputs are integers."""
    given, made = inputs[0], outputs[0]
    rest = all(numbers(tensor) is not None for tensor in inputs[1:])
    fits = given is not None and prod(given.shape) == prod(made.shape)
    return rest and fits and _of_one_type([given, made])


def _axis_vector(tensor: Tensor | None, rank: int, length: int) -> list[int] | None:
    """Return a constant vector of ``length`` numbers (0: any number up to ``rank``)."""
    values = numbers(tensor)
    if values is None or tensor is None or len(tensor.shape) > 1:
        return None
    right = len(values) == length if length else 0 < len(values) <= rank
    return values if right else None


def _transpose(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    given, made = inputs[0], outputs[0]
    if given is None or not _of_one_type([given, made]):
        return False
    order = _axis_vector(inputs[1], len(given.shape), len(given.shape))
    if order is None or sorted(order) != list(range(len(given.shape))):
        return False
    return tuple(given.shape[axis] for axis in order) == made.shape


def _slice(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    given, made = inputs[0], outputs[0]
    if given is None or not _of_one_type([given, made]):
        return False
    rank = len(given.shape)
    begin, size = (_axis_vector(each, rank, rank) for each in inputs[1:])
    if not rank or rank > 5 or begin is None or size is None or len(made.shape) != rank:
        return False
    taken = [w - b if s == -1 else s for w, b, s in zip(given.shape, begin, size, strict=True)]
    return tuple(taken) == made.shape


def _strided(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    given = inputs[0]
    if given is None or not _of_one_type([given, outputs[0]]) or not 0 < len(given.shape) <= 5:
        return False
    rank = len(given.shape)
    vectors = [_axis_vector(each, rank, 0) for each in inputs[1:]]
    lengths = {None if vector is None else len(vector) for vector in vectors}
    return None not in lengths and len(lengths) == 1 and 0 not in (vectors[2] or [0])


def _pad(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    given, sizes, made = inputs[0], inputs[1], outputs[0]
    values = numbers(sizes)
    if given is None or sizes is None or values is None or not _of_one_type([given, made]):
        return False
    rank = len(given.shape)
    if sizes.shape != (rank, 2) or not all(0 <= value <= _LONGEST_PAD for value in values):
        return False
    sums = zip(given.shape, values[::2], values[1::2], strict=True)
    return rank <= 5 and tuple(map(sum, sums)) == made.shape


def _axes(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    """Return whether the second input lists axes of the first and the output has its shape."""
    return _known_axes(inputs) and _same(inputs, outputs)


def _known_axes(inputs: Tensors) -> bool:
    given = inputs[0]
    rank = len(given.shape) if given else 0
    axes = _axis_vector(inputs[1], rank, 0)
    return axes is not None and all(-rank <= axis < rank for axis in axes)


def _reduce(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    given, made = inputs[0], outputs[0]
    if given is None or not _known_axes(inputs) or not _of_one_type([given, made]):
        return False
    axes = {axis % len(given.shape) for axis in numbers(inputs[1]) or []}
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(given.shape))
    left = tuple(size for axis, size in enumerate(given.shape) if axis not in axes)
    return made.shape in (kept, left)


def _grow(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    given, made = inputs[0], outputs[0]
    wanted = numbers(inputs[1])
    known = given is not None and wanted is not None and all(1 <= w <= 1 << 20 for w in wanted)
    return known and _of_one_type([given, made]) and len(wanted or []) == len(made.shape)


def _resize(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    given, made = inputs[0], outputs[0]
    if given is None or len(given.shape) != 4 or not _of_one_type([given, made]):
        return False
    size = tuple(numbers(inputs[1]) or ())
    return made.shape == (given.shape[0], *size, given.shape[3])


def _gather(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    given, indices = inputs[0], numbers(inputs[1])
    if given is None or indices is None or not _of_one_type([given, outputs[0]]):
        return False
    return bool(given.shape)


def _concatenate(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    made = outputs[0]
    shapes = [tensor.shape for tensor in inputs if tensor is not None]
    if not _of_one_type([*inputs, made]) or {len(s) for s in shapes} != {len(made.shape)}:
        return False
    return any(
        made.shape == (*shapes[0][:axis], sum(s[axis] for s in shapes), *shapes[0][axis + 1 :])
        and len({(*s[:axis], *s[axis + 1 :]) for s in shapes}) == 1
        for axis in range(len(made.shape))
    )


def _pack(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    made = outputs[0]
    return _stacked([t for t in inputs if t is not None], made) and _of_one_type([*inputs, made])


def _unpack(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    whole = inputs[0]
    return whole is not None and _stacked(outputs, whole) and _of_one_type([whole, *outputs])


def _stacked(parts: Sequence[Tensor], whole: Tensor) -> bool:
    shapes = {part.shape for part in parts}
    part = shapes.pop() if len(shapes) == 1 else None
    return part is not None and any(
        whole.shape == (*part[:axis], len(parts), *part[axis:]) for axis in range(len(whole.shape))
    )


def _split(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    return _parts(inputs[0], inputs[1], outputs) and len({made.shape for made in outputs}) == 1


def _split_v(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    sizes = numbers(inputs[1])
    return (
        sizes is not None and len(sizes) == len(outputs) and _parts(inputs[2], inputs[0], outputs)
    )


def _parts(along: Tensor | None, whole: Tensor | None, outputs: Sequence[Tensor]) -> bool:
    axis = numbers(along)
    if whole is None or axis is None or len(axis) != 1 or not _of_one_type([whole, *outputs]):
        return False
    rank = len(whole.shape)
    if not -rank <= axis[0] < rank or {len(made.shape) for made in outputs} != {rank}:
        return False
    place = axis[0] % rank
    others = {(*t.shape[:place], *t.shape[place + 1 :]) for t in (whole, *outputs)}
    return len(others) == 1 and sum(made.shape[place] for made in outputs) == whole.shape[place]


def _images(*tensors: Tensor | None) -> bool:
    return all(tensor is not None and len(tensor.shape) == 4 for tensor in tensors)


def _pool(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    given, made = inputs[0], outputs[0]
    if given is None or not _images(given, made) or not _of_one_type([given, made]):
        return False
    smaller = all(a >= b for a, b in zip(given.shape[1:3], made.shape[1:3], strict=True))
    return smaller and (given.shape[0], given.shape[3]) == (made.shape[0], made.shape[3])


def _blocks(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    return _images(inputs[0], outputs[0]) and _flat(inputs, outputs)


def _weighted(inputs: Tensors, made: Tensor, rows: int) -> bool:
    """Check a layer's types: all float, all quantised, or float input with quantised weights."""
    given, weights = inputs[0], inputs[1]
    bias = inputs[2] if len(inputs) > 2 else None
    if given is None or weights is None or given.type != made.type or weights.data is None:
        return False
    kinds = (given.type, weights.type)
    mixed = given.type == FLOAT32 and weights.type in WHOLE
    whole = given.type in WHOLE and weights.type in WHOLE
    if not (kinds == (FLOAT32, FLOAT32) or mixed or whole):
        return False
    if whole and not _scaled(given, weights, made):
        return False
    biased = (FLOAT32,) if given.type == FLOAT32 else (INT32, INT64)
    return bias is None or (bias.type in biased and prod(bias.shape) == rows)


def _scaled(given: Tensor, weights: Tensor, made: Tensor) -> bool:
    """Return whether the scaling from sums to output is a shift that a kernel can do."""
    if not (given.scales and weights.scales and made.scales):
        return False
    ratios = [given.scales[0] * scale / made.scales[0] for scale in weights.scales]
    return min(ratios) > 2.0**-31 and max(ratios) < 2.0**8


def _convolution(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    given, weights, made = inputs[0], inputs[1], outputs[0]
    if given is None or weights is None or not _images(given, weights, made):
        return False
    rows, _, _, columns = weights.shape
    fits = given.shape[3] % columns == 0 and rows % (given.shape[3] // columns) == 0
    sides = (made.shape[0], made.shape[3]) == (given.shape[0], rows)
    return fits and sides and _weighted(inputs, made, rows)


def _depthwise(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    given, weights, made = inputs[0], inputs[1], outputs[0]
    if given is None or weights is None or not _images(given, weights, made):
        return False
    rows = weights.shape[3]
    fits = weights.shape[0] == 1 and rows % given.shape[3] == 0
    sides = (made.shape[0], made.shape[3]) == (given.shape[0], rows)
    return fits and sides and _weighted(inputs, made, rows)


def _transposed(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    size, weights, given, made = numbers(inputs[0]), inputs[1], inputs[2], outputs[0]
    if given is None or weights is None or not _images(given, weights, made):
        return False
    fits = weights.shape[3] == given.shape[3] and tuple(size or ()) == made.shape
    sides = (made.shape[0], made.shape[3]) == (given.shape[0], weights.shape[0])
    layer = [given, weights, *inputs[3:]]
    return fits and sides and _weighted(layer, made, weights.shape[0])


def _dense(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    given, weights, made = inputs[0], inputs[1], outputs[0]
    if given is None or weights is None or len(weights.shape) != 2 or not given.shape:
        return False
    rows, columns = weights.shape
    fits = prod(given.shape) % columns == 0
    return (
        fits
        and prod(made.shape) == prod(given.shape) // columns * rows
        and made.shape[-1:] == (rows,)
        and _weighted(inputs, made, rows)
    )


def _matrices(inputs: Tensors, outputs: Sequence[Tensor]) -> bool:
    ranks = {len(tensor.shape) for tensor in (*inputs, *outputs) if tensor is not None}
    return len(ranks) == 1 and 2 <= ranks.pop() <= 5 and _of_one_type([*inputs, *outputs])


FORMS: Mapping[str, Form] = {
    "same": _same, "cast": _cast, "quantize": _quantize, "dequantize": _dequantize,
    "broadcast": _broadcast, "compare": _compare, "select": _select, "alike": _alike,
    "reshape": _flat, "transpose": _transpose, "slice": _slice, "strided": _strided, "pad": _pad,
    "axes": _axes, "reduce": _reduce, "grow": _grow, "resize": _resize, "gather": _gather,
    "concatenate": _concatenate, "pack": _pack, "unpack": _unpack, "split": _split,
    "split_v": _split_v, "pool": _pool, "blocks": _blocks, "convolution": _convolution,
    "depthwise": _depthwise, "transposed": _transposed, "dense": _dense, "matrices": _matrices,
}  # fmt: skip
"""Forms by the name in `OperatorSignature.form`."""

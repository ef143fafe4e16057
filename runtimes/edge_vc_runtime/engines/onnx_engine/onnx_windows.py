"""Windows of convolutions and pools: they have to match the weights and lie within the input.

ONNX Runtime takes the window from the attribute and its values from the weights, unchecked, and
aborts if a window extends beyond the input and its pads.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_vc_runtime.engines.onnx_engine.onnx_node import KnownValues, OnnxNode, Shape, WindowError

_WEIGHTS = {"Conv": 1, "ConvInteger": 1, "ConvTranspose": 1, "QLinearConv": 3}
"""Index of an operator's weight input, ``[out, in / group, window ...]``."""
_POOLS = frozenset({"AveragePool", "MaxPool", "LpPool"})
_SAME = ("SAME_UPPER", "SAME_LOWER")
_PADDINGS = ("", "NOTSET", "VALID", *_SAME)
WINDOWED = frozenset({*_WEIGHTS, *_POOLS})
"""Operators that move a window over their input."""
_PER_AXIS = (("strides", 1), ("dilations", 1), ("pads", 2), ("output_padding", 1))


def windowed_shape(node: OnnxNode, known: KnownValues) -> Shape | None:
    """Return the shape of a convolution's or pool's output, None if that of the input is unknown.

    Raises `WindowError` if attributes, weights and input are inconsistent.
    """
    window, weights = _window(node, known)
    if window is None:
        return None
    for name, count in _PER_AXIS:
        if name in node.numbers and len(node.numbers[name]) != count * len(window):
            raise WindowError(
                f"has {len(node.numbers[name])} {name} for a window of {len(window)} axes"
            )
    if node.padding not in _PADDINGS:
        raise WindowError(f"has the padding {node.padding[:20]!a}, which is none")
    if min(node.numbers.get("pads", ()), default=0) < 0:
        raise WindowError(f"has the pads {list(node.numbers['pads'])!s:.60}, none may be negative")
    given = known.shape(node, 0)
    if given is None or "output_shape" in node.numbers:
        return None
    if len(given) != len(window) + 2 or 0 in given:
        raise WindowError(f"has a window of {len(window)} axes over {list(given)!s:.60}")
    if weights is None and node.kind not in _POOLS:
        return None
    channels = given[1] if weights is None else _channels(node, given, weights)
    lengths = zip(given[2:], window, range(len(window)), strict=True)
    return (given[0], channels, *(_length(node, *each) for each in lengths))


def _window(node: OnnxNode, known: KnownValues) -> tuple[Shape | None, Shape | None]:
    """Return the shapes of the window and the weights, None if unknown."""
    said = node.numbers.get("kernel_shape")
    if node.kind in _POOLS:
        if not said:
            raise WindowError("has no window")
        return tuple(said), None
    weights = known.shape(node, _WEIGHTS[node.kind])
    if weights is None:
        return (tuple(said) if said else None), None
    window = weights[2:]
    if not window or 0 in weights:
        raise WindowError(f"has weights of the shape {list(weights)!s:.60}")
    if tuple(said or window) != window:
        raise WindowError(
            f"has the window {list(said or ())!s:.60}, its weights have {list(window)}"
        )
    group = node.number("group", 1)
    if weights[0] % group:
        raise WindowError(f"has {weights[0]} rows of weights in {group} groups")
    return window, weights


def _channels(node: OnnxNode, given: Shape, weights: Shape) -> int:
    """Return the number of channels of a convolution's output."""
    turned, group = node.kind == "ConvTranspose", node.number("group", 1)
    wanted = weights[0] if turned else weights[1] * group
    if given[1] != wanted:
        raise WindowError(f"has weights for {wanted} channels, its input has {given[1]}")
    return weights[1] * group if turned else weights[0]


def _length(node: OnnxNode, length: int, window: int, axis: int) -> int:
    """Return the output's length along an axis of the window."""
    stride, dilation = (_one(node, name, axis, 1) for name in ("strides", "dilations"))
    reach = (window - 1) * dilation + 1
    if node.padding in _SAME:
        return length * stride if node.kind == "ConvTranspose" else -(-length // stride)
    half = len(node.numbers.get("pads", ())) // 2
    pads = 0
    if node.padding != "VALID" and half:
        pads = _one(node, "pads", axis, 0) + _one(node, "pads", axis + half, 0)
    if node.kind == "ConvTranspose":
        made = stride * (length - 1) + reach + _one(node, "output_padding", axis, 0) - pads
    else:
        spare = length + pads - reach
        up = stride - 1 if node.number("ceil_mode", 0) else 0
        made = (spare + up) // stride + 1 if spare >= 0 else 0
    if made < 1:
        raise WindowError(
            f"has a window that reaches over {reach} items, its input has {length} and {pads} pads"
        )
    return made


def _one(node: OnnxNode, name: str, axis: int, default: int) -> int:
    values: Sequence[int] = node.numbers.get(name, ())
    return values[axis] if axis < len(values) else default

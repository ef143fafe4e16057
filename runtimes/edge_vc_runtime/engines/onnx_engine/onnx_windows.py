"""Convolutions of an `.onnx` file: what an attribute says of the window is what the weights hold.

ONNX Runtime takes the window from the attribute and its values from the weights, unchecked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_WEIGHTS = {"Conv": 1, "ConvInteger": 1, "ConvTranspose": 1, "QLinearConv": 3}
"""Which input of an operator holds the weights, ``[out, in / group, window ...]``."""
_SAME = frozenset({"DequantizeLinear", "Identity", "Cast"})
"""Operators whose output has the shape of the first input."""
Shape = tuple[int, ...]


class WindowError(ValueError):
    """A convolution that contradicts itself; one line without the operator."""


def shape_after(kind: str, given: Sequence[str], shapes: Mapping[str, Shape]) -> Shape | None:
    """Return the shape of what an operator makes of a constant, where it stays the same."""
    return shapes.get(given[0]) if kind in _SAME and given else None


def check_window(
    kind: str,
    given: Sequence[str],
    attributes: Mapping[str, Sequence[int]],
    shapes: Mapping[str, Shape],
) -> None:
    """Raise `WindowError` where a convolution's attributes are not those of its constant weights.

    ``attributes`` are those with whole numbers; weights that are no constants are not looked at.
    """
    place = _WEIGHTS.get(kind)
    weights = shapes.get(given[place]) if place is not None and place < len(given) else None
    if weights is None:
        return
    window = weights[2:]
    if not window or 0 in weights:
        raise WindowError(f"has weights of the shape {list(weights)!s:.60}")
    said = tuple(attributes.get("kernel_shape", window))
    if said != window:
        raise WindowError(f"has the window {list(said)!s:.60}, its weights have {list(window)}")
    for name, count in (("strides", 1), ("dilations", 1), ("pads", 2)):
        if name in attributes and len(attributes[name]) != count * len(window):
            raise WindowError(
                f"has {len(attributes[name])} {name} for a window of {len(window)} axes"
            )
    group = next(iter(attributes.get("group", ())), 1)
    if weights[0] % group:
        raise WindowError(f"has {weights[0]} rows of weights in {group} groups")

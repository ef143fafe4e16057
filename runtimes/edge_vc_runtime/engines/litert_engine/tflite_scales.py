"""The scales and zero points that the tensors of an operator may have.

Kernels use the first scale of a tensor for all of it, compute shifts from ratios of scales, and
abort if one is missing, is per channel, or results in an impossible shift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge_vc_runtime.engines.litert_engine.tflite_graph import Operator, Tensor

_WHOLE = (3, 7, 9)
"""uint8, int16, int8."""
_SIGNED = (7, 9)
_CHANNELS: Mapping[str, tuple[int, int]] = {
    "CONV_2D": (1, 0), "DEPTHWISE_CONV_2D": (1, 3), "TRANSPOSE_CONV": (1, 0),
    "FULLY_CONNECTED": (1, 0),
}  # fmt: skip
"""Operators with weights: the index of the weight input, and its channel axis."""
_BIAS: Mapping[str, int] = {
    "CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "TRANSPOSE_CONV": 3, "FULLY_CONNECTED": 2,
}  # fmt: skip
_MOVES = frozenset({
    "CONCATENATION", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "SLICE", "STRIDED_SLICE",
    "PAD", "PADV2", "MIRROR_PAD", "REVERSE_V2", "TILE", "BROADCAST_TO", "GATHER", "PACK", "UNPACK",
    "SPLIT", "SPLIT_V", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "SELECT", "SELECT_V2", "CAST",
    "ZEROS_LIKE", "LOGICAL_OR", "LOGICAL_AND", "LOGICAL_NOT", "RESIZE_NEAREST_NEIGHBOR",
})  # fmt: skip
"""Operators that move values regardless of their scales."""
_RATIOS = (2.0**-30, 2.0**8)


def scales_fault(
    operator: Operator, inputs: Sequence[Tensor | None], outputs: Sequence[Tensor]
) -> str | None:
    """Return what is wrong with the scales of an operator's tensors, None if they are valid."""
    name = operator.kind.name
    weights = _CHANNELS.get(name)
    apart = {weights[0], _BIAS[name]} if weights else set()
    whole = [t for i, t in enumerate(inputs) if t is not None and i not in apart]
    values = [tensor for tensor in (*whole, *outputs) if tensor.type in _WHOLE]
    if any(len(tensor.scales) > 1 for tensor in values):
        return "has a scale per channel where one scale belongs"
    if name not in _MOVES and any(not tensor.scales for tensor in values):
        return "computes with whole numbers that have no scale"
    if weights:
        return _weights_fault(inputs[weights[0]], weights[1], name)
    return None if name in _MOVES else _ratio_fault(values, outputs)


def _weights_fault(weights: Tensor | None, axis: int, name: str) -> str | None:
    if weights is None or weights.type not in _WHOLE:
        return None
    if len(weights.scales) not in (1, weights.shape[axis]):
        return f"has {len(weights.scales)} scales for {weights.shape[axis]} channels"
    if len(weights.scales) > 1 and weights.scale_axis != axis:
        return f"has scales along the axis {weights.scale_axis}, its channels are the axis {axis}"
    if (weights.type in _SIGNED or len(weights.scales) > 1) and any(weights.zero_points):
        return "has weights with a zero point, which kernels take for 0"
    return None


def _ratio_fault(values: Sequence[Tensor], outputs: Sequence[Tensor]) -> str | None:
    """Return what is wrong with the shifts from the inputs' scales to the outputs'."""
    made = [tensor.scales[0] for tensor in outputs if tensor.type in _WHOLE]
    low, high = _RATIOS
    for tensor in values:
        if any(not low < tensor.scales[0] / scale < high for scale in made):
            return "scales its values by more than a shift can"
    return None

"""The number of inputs and outputs of each operator, and the form of their types and shapes.

A kernel indexes its inputs by position and trusts their ranks, so a graph that violates this reads
memory that is not its own.
"""

from __future__ import annotations

from typing import NamedTuple


class OperatorSignature(NamedTuple):
    """The inputs and outputs that one operator may have."""

    least: int
    """Minimum number of inputs."""
    most: int
    """Maximum number of inputs."""
    outputs: int = 1
    """Maximum number of outputs; there is at least one."""
    form: str = ""
    """Relation of shapes and types; see `FORMS` in `tflite_forms`."""


_MANY = 64


def _each(form: str, inputs: int, *names: str) -> dict[str, OperatorSignature]:
    return dict.fromkeys(names, OperatorSignature(inputs, inputs, form=form))


SIGNATURES: dict[str, OperatorSignature] = {
    **_each(
        "same", 1,
        "FLOOR", "LOGISTIC", "RELU", "RELU_N1_TO_1", "RELU6", "RELU_0_TO_1", "SOFTMAX", "TANH",
        "EXP", "LOG_SOFTMAX", "NEG", "SIN", "COS", "LOG", "SQRT", "RSQRT", "FAKE_QUANT", "SQUARE",
        "ZEROS_LIKE", "LEAKY_RELU", "ABS", "CEIL", "ELU", "ROUND", "HARD_SWISH", "GELU", "SIGN",
        "LOGICAL_NOT",
    ),
    **_each("cast", 1, "CAST"),
    **_each("quantize", 1, "QUANTIZE"),
    **_each("dequantize", 1, "DEQUANTIZE"),
    **_each(
        "broadcast", 2,
        "ADD", "MUL", "SUB", "DIV", "MAXIMUM", "MINIMUM", "POW", "FLOOR_DIV", "FLOOR_MOD",
        "SQUARED_DIFFERENCE", "ATAN2", "LOGICAL_OR", "LOGICAL_AND", "PRELU",
    ),
    **_each(
        "compare", 2, "LESS", "GREATER", "GREATER_EQUAL", "LESS_EQUAL", "EQUAL", "NOT_EQUAL"
    ),
    **_each("select", 3, "SELECT", "SELECT_V2"),
    **_each("pool", 1, "AVERAGE_POOL_2D", "L2_POOL_2D", "MAX_POOL_2D"),
    **_each("blocks", 1, "DEPTH_TO_SPACE", "SPACE_TO_DEPTH"),
    **_each("reshape", 1, "SQUEEZE"),
    **_each("reshape", 2, "EXPAND_DIMS"),
    **_each("transpose", 2, "TRANSPOSE"),
    **_each("slice", 3, "SLICE"),
    **_each("strided", 4, "STRIDED_SLICE"),
    **_each("pad", 2, "PAD", "MIRROR_PAD"),
    **_each("pad", 3, "PADV2"),
    **_each("reduce", 2, "MEAN", "SUM", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN"),
    **_each("axes", 2, "REVERSE_V2", "CUMSUM"),
    **_each("grow", 2, "TILE", "BROADCAST_TO"),
    **_each("resize", 2, "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"),
    **_each("gather", 2, "GATHER"),
    **_each("matrices", 2, "BATCH_MATMUL"),
    "RESHAPE": OperatorSignature(1, 2, form="reshape"),
    "CONCATENATION": OperatorSignature(1, _MANY, form="concatenate"),
    "PACK": OperatorSignature(1, _MANY, form="pack"),
    "ADD_N": OperatorSignature(1, _MANY, form="alike"),
    "UNPACK": OperatorSignature(1, 1, _MANY, "unpack"),
    "SPLIT": OperatorSignature(2, 2, _MANY, "split"),
    "SPLIT_V": OperatorSignature(3, 3, _MANY, "split_v"),
    "CONV_2D": OperatorSignature(3, 3, form="convolution"),
    "DEPTHWISE_CONV_2D": OperatorSignature(3, 3, form="depthwise"),
    "TRANSPOSE_CONV": OperatorSignature(3, 4, form="transposed"),
    "FULLY_CONNECTED": OperatorSignature(2, 3, form="dense"),
}  # fmt: skip
"""Signatures by the operator's name in TFLite's schema."""

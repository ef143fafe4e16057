"""The operators of TFLite whose sizes are known before they run.

A tensor whose size depends on the input would move the memory of all others, which breaks state
that is copied in place. So an operator that is not listed is rejected by name.
"""

from __future__ import annotations

from typing import NamedTuple


class OperatorKind(NamedTuple):
    """One kind of operator."""

    name: str
    """Its name in TFLite's schema."""
    sized_by: tuple[int, ...] = ()
    """Inputs whose values determine the size of the outputs: they have to be constants."""


_FREE = {
    0: "ADD", 1: "AVERAGE_POOL_2D", 2: "CONCATENATION", 3: "CONV_2D", 4: "DEPTHWISE_CONV_2D",
    5: "DEPTH_TO_SPACE", 6: "DEQUANTIZE", 8: "FLOOR", 9: "FULLY_CONNECTED", 12: "L2_POOL_2D",
    14: "LOGISTIC", 17: "MAX_POOL_2D", 18: "MUL", 19: "RELU", 20: "RELU_N1_TO_1", 21: "RELU6",
    25: "SOFTMAX", 26: "SPACE_TO_DEPTH", 28: "TANH", 36: "GATHER", 41: "SUB", 42: "DIV",
    43: "SQUEEZE", 47: "EXP", 50: "LOG_SOFTMAX", 53: "CAST", 54: "PRELU", 55: "MAXIMUM",
    57: "MINIMUM", 58: "LESS", 59: "NEG", 61: "GREATER", 62: "GREATER_EQUAL", 63: "LESS_EQUAL",
    64: "SELECT", 66: "SIN", 71: "EQUAL", 72: "NOT_EQUAL", 73: "LOG", 75: "SQRT", 76: "RSQRT",
    78: "POW", 80: "FAKE_QUANT", 83: "PACK", 84: "LOGICAL_OR", 86: "LOGICAL_AND",
    87: "LOGICAL_NOT", 88: "UNPACK", 90: "FLOOR_DIV", 92: "SQUARE", 93: "ZEROS_LIKE",
    95: "FLOOR_MOD", 98: "LEAKY_RELU", 99: "SQUARED_DIFFERENCE", 101: "ABS", 104: "CEIL",
    106: "ADD_N", 108: "COS", 111: "ELU", 114: "QUANTIZE", 116: "ROUND", 117: "HARD_SWISH",
    123: "SELECT_V2", 126: "BATCH_MATMUL", 128: "CUMSUM", 150: "GELU", 152: "RELU_0_TO_1",
    156: "ATAN2", 158: "SIGN",
}  # fmt: skip
_SIZED: dict[int, tuple[str, tuple[int, ...]]] = {
    22: ("RESHAPE", (1,)), 23: ("RESIZE_BILINEAR", (1,)), 34: ("PAD", (1,)),
    39: ("TRANSPOSE", (1,)), 40: ("MEAN", (1,)), 45: ("STRIDED_SLICE", (1, 2, 3)),
    49: ("SPLIT", (0,)), 60: ("PADV2", (1,)), 65: ("SLICE", (1, 2)),
    67: ("TRANSPOSE_CONV", (0,)), 69: ("TILE", (1,)), 70: ("EXPAND_DIMS", (1,)),
    74: ("SUM", (1,)), 81: ("REDUCE_PROD", (1,)), 82: ("REDUCE_MAX", (1,)),
    89: ("REDUCE_MIN", (1,)), 97: ("RESIZE_NEAREST_NEIGHBOR", (1,)), 100: ("MIRROR_PAD", (1,)),
    102: ("SPLIT_V", (1, 2)), 105: ("REVERSE_V2", (1,)), 130: ("BROADCAST_TO", (1,)),
}  # fmt: skip

OPERATORS: dict[int, OperatorKind] = {
    **{code: OperatorKind(name) for code, name in _FREE.items()},
    **{code: OperatorKind(*kind) for code, kind in _SIZED.items()},
}
"""Kinds by their number in TFLite's schema."""

DENSE = "FULLY_CONNECTED"
"""The operator that tflite-runtime computes wrongly with integer weights and a float input: all
zeros with a scale per row. It computes such convolutions correctly (64 dB measured)."""

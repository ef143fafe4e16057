"""The ONNX operators that a bundle may contain: their inputs, outputs and required constants.

Everything that determines the size of an output or the position it is read from has to be a
constant, so that no input can make a step fail or use more memory. Control flow, random numbers,
strings, sequences and optional values are not listed, so they are rejected by name.
"""

from __future__ import annotations

from typing import NamedTuple


class OnnxOperator(NamedTuple):
    """The inputs and outputs that one operator may have."""

    least: int
    """Minimum number of inputs."""
    most: int
    """Maximum number of inputs."""
    outputs: int = 1
    """Maximum number of outputs; there is at least one."""
    fixed: tuple[int, ...] = ()
    """Inputs that have to be constants."""


_MANY = 64


def _each(least: int, most: int, names: str) -> dict[str, OnnxOperator]:
    return dict.fromkeys(names.split(), OnnxOperator(least, most))


OPERATORS: dict[str, OnnxOperator] = {
    **_each(
        1, 1,
        "Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Cast Ceil Celu Cos Cosh DepthToSpace Elu "
        "Erf Exp Flatten Floor Gelu HardSigmoid HardSwish Hardmax Identity IsInf IsNaN LeakyRelu "
        "Log LogSoftmax Mish Neg Not Reciprocal Relu Round Selu Shape Sigmoid Sign Sin Sinh Size "
        "Softmax Softplus Softsign SpaceToDepth Sqrt Swish Tan Tanh ThresholdedRelu Transpose "
        "AveragePool GlobalAveragePool GlobalMaxPool GlobalLpPool LpPool LpNormalization LRN "
        "MeanVarianceNormalization ArgMax ArgMin",
    ),
    **_each(
        2, 2,
        "Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less "
        "LessOrEqual MatMul Mod Mul Or PRelu Pow Sub Xor",
    ),
    **_each(1, _MANY, "Concat Max Mean Min Sum"),
    **_each(2, 3, "Conv Gemm"),
    **_each(3, 3, "Where InstanceNormalization"),
    **_each(2, 3, "DequantizeLinear QuantizeLinear"),
    **_each(2, 4, "ConvInteger MatMulInteger"),
    **_each(8, 8, "QLinearMatMul"),
    **_each(8, 9, "QLinearConv"),
    **_each(1, _MANY, "Einsum"),
    **_each(3, 3, "GroupNormalization"),
    "Constant": OnnxOperator(0, 0),
    "BatchNormalization": OnnxOperator(5, 5),
    "Clip": OnnxOperator(1, 3),
    "ConstantOfShape": OnnxOperator(1, 1, fixed=(0,)),
    "ConvTranspose": OnnxOperator(2, 3),
    "CumSum": OnnxOperator(2, 2, fixed=(1,)),
    "Dropout": OnnxOperator(1, 3, 2, fixed=(1, 2)),
    "DynamicQuantizeLinear": OnnxOperator(1, 1, 3),
    "Expand": OnnxOperator(2, 2, fixed=(1,)),
    "Gather": OnnxOperator(2, 2, fixed=(1,)),
    "GatherElements": OnnxOperator(2, 2, fixed=(1,)),
    "GatherND": OnnxOperator(2, 2, fixed=(1,)),
    "GRU": OnnxOperator(3, 6, 2, fixed=(4,)),
    "LayerNormalization": OnnxOperator(2, 3, 3),
    "LSTM": OnnxOperator(3, 8, 3, fixed=(4,)),
    "MaxPool": OnnxOperator(1, 1, 2),
    "Pad": OnnxOperator(1, 4, fixed=(1, 2, 3)),
    "Range": OnnxOperator(3, 3, fixed=(0, 1, 2)),
    "Reshape": OnnxOperator(2, 2, fixed=(1,)),
    "Resize": OnnxOperator(1, 4, fixed=(1, 2, 3)),
    "RMSNormalization": OnnxOperator(2, 2),
    "RNN": OnnxOperator(3, 6, 2, fixed=(4,)),
    "ScatterElements": OnnxOperator(3, 3, fixed=(1,)),
    "ScatterND": OnnxOperator(3, 3, fixed=(1,)),
    "Slice": OnnxOperator(1, 5, fixed=(1, 2, 3, 4)),
    "Split": OnnxOperator(1, 2, _MANY, fixed=(1,)),
    "Squeeze": OnnxOperator(1, 2, fixed=(1,)),
    "Tile": OnnxOperator(2, 3, fixed=(1, 2)),
    "TopK": OnnxOperator(1, 2, 2, fixed=(1,)),
    "Trilu": OnnxOperator(1, 2, fixed=(1,)),
    "Unsqueeze": OnnxOperator(1, 2, fixed=(1,)),
    **dict.fromkeys(
        (
            "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
            "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare",
        ),
        OnnxOperator(1, 2, fixed=(1,)),
    ),
}  # fmt: skip
"""Operators of the standard domain, by name."""

"""What TensorRT runs, as far as an exported graph may ask for it.

From the operator support matrix of ONNX-TensorRT (docs/operators.md, TensorRT 8.4: older than what
JetPack 6 and 7 have, which run no fewer). Operators that it lists as supported for FP32.
"""

from __future__ import annotations

SOURCE = "onnx/onnx-tensorrt, docs/operators.md, TensorRT 8.4"
_LISTED = """
Abs Add AveragePool Cast Ceil Clip Concat Constant ConstantOfShape Conv ConvTranspose Cos CumSum
DepthToSpace Div Elu Equal Erf Exp Expand Flatten Floor GRU Gather GatherElements Gemm
GlobalAveragePool Greater GreaterOrEqual HardSigmoid Identity LSTM LeakyRelu Less LessOrEqual Log
MatMul Max MaxPool Mean Min Mul Neg PRelu Pad Pow ReduceMax ReduceMean ReduceMin ReduceSum Relu
Reshape Round ScatterND Shape Sigmoid Sign Sin Slice Softmax Softplus Split Sqrt Squeeze Sub Sum
Tanh Tile Transpose Unsqueeze Where
"""
FP32 = frozenset(_LISTED.split())

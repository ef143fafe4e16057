"""An `.onnx` graph with operators that students do not have."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

IMAGE = (1, 4, 6, 8)


def zoo_onnx() -> bytes:
    """Return the file; every operator reads ``audio`` ``[1, 4, 6, 8]``."""
    zoo = _Zoo()
    for kind in ("Add", "Sub", "Mul", "Div", "Pow", "PRelu", "Max", "Min", "Mean", "Sum"):
        zoo.add(kind, "audio", "other")
    for kind in ("Greater", "Less", "Equal"):
        zoo.add("Where", zoo.add(kind, "audio", "other"), "audio", "other")
    for kind in (
        "Abs", "Neg", "Exp", "Sigmoid", "Tanh", "Relu", "LeakyRelu", "Elu", "Softplus", "Erf",
        "HardSigmoid", "HardSwish", "Round", "Floor", "Sign", "Softmax", "LogSoftmax",
    ):  # fmt: skip
        zoo.add(kind, "audio")
    zoo.add("Reshape", "audio", zoo.numbers([0, -1, 2]))
    zoo.add("Transpose", "audio", perm=[0, 3, 1, 2])
    zoo.add("Squeeze", "audio", zoo.numbers([0]))
    zoo.add("Unsqueeze", "audio", zoo.numbers([1, -1]))
    zoo.add("Flatten", "audio", axis=2)
    slices = [zoo.numbers(v) for v in ([1, 5], [4, 0], [1, 2], [1, -2])]
    zoo.add("Slice", "audio", *slices)
    zoo.add("Concat", "audio", "other", axis=2)
    zoo.add("Pad", "audio", zoo.numbers([0, 1, 0, 2, 0, 0, 3, 1]))
    for mode in ("reflect", "edge"):
        zoo.add("Pad", "audio", zoo.numbers([0, 1, 0, 2, 0, 0, 3, 1]), mode=mode)
    zoo.add("Tile", "audio", zoo.numbers([1, 2, 1, 2]))
    zoo.add("Expand", "row", zoo.numbers(IMAGE))
    zoo.add("Gather", "audio", zoo.numbers([3, 0, 1]), axis=1)
    zoo.add("GatherElements", "audio", zoo.numbers(np.zeros((1, 4, 6, 8)) + 1), axis=2)
    zoo.add("ScatterElements", "audio", zoo.numbers(np.ones((1, 1, 1, 2))), "pair", axis=2)
    zoo.add("CumSum", "audio", zoo.numbers(2))
    zoo.add("Trilu", "audio", zoo.numbers(1))
    zoo.add("DepthToSpace", "audio", blocksize=2)
    zoo.add("SpaceToDepth", "audio", blocksize=2)
    for kind in ("ReduceSum",):
        zoo.add(kind, "audio", zoo.numbers([1, -1]), keepdims=0)
    for kind in ("ReduceMean", "ReduceMax", "ReduceL2"):
        zoo.add(kind, "audio", axes=[2], keepdims=1)
    for kind in ("ArgMax", "ArgMin"):
        zoo.add(kind, "audio", axis=1)
    for kind in ("AveragePool", "MaxPool", "LpPool"):
        zoo.add(kind, "audio", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])
    zoo.add("GlobalAveragePool", "audio")
    zoo.add("Split", "audio", zoo.numbers([1, 3]), made=2, axis=1)
    zoo.add("TopK", "audio", zoo.numbers([3]), made=2, axis=2)
    zoo.layers()
    return zoo.finish()


class _Zoo:
    """The graph as it grows."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._chance = np.random.default_rng(0)
        self.weights("other", *IMAGE)
        self.weights("row", 8)
        self.weights("pair", 1, 1, 1, 2)

    def weights(self, name: str, *shape: int) -> str:
        """Declare a constant of random numbers."""
        values = self._chance.normal(size=shape).astype(np.float32)
        self._constants.append(numpy_helper.from_array(values, name))
        return name

    def numbers(self, values: Any) -> str:
        """Declare whole numbers."""
        name = f"numbers.{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def add(self, kind: str, *inputs: str, made: int = 1, **attributes: Any) -> str:
        """Append an operator and return its first output."""
        outputs = [f"out.{len(self._nodes)}.{place}" for place in range(made)]
        self._nodes.append(helper.make_node(kind, inputs, outputs, **attributes))
        return outputs[0]

    def layers(self) -> None:
        """Convolutions, products of matrices, recurrent and normalising layers."""
        conv = {"dilations": [2, 1], "strides": [1, 2], "pads": [1, 0, 1, 1]}
        self.add(
            "Conv", "audio", self.weights("c", 6, 2, 3, 2), self.weights("cb", 6), group=2, **conv
        )
        up = {"strides": [2, 1], "pads": [1, 0, 0, 1], "output_padding": [1, 0]}
        self.add(
            "ConvTranspose", "audio", self.weights("u", 4, 3, 3, 2), self.weights("ub", 3), **up
        )
        self.add("MatMul", "audio", self.weights("m", 8, 5))
        flat = self.add("Flatten", "audio")
        self.add("Gemm", flat, self.weights("g", 7, 192), self.weights("gb", 7), transB=1)
        rows = self.add("Reshape", "audio", self.numbers([6, 1, 32]))
        for kind, gates in (("GRU", 3), ("LSTM", 4), ("RNN", 1)):
            sizes = ((1, gates * 5, 32), (1, gates * 5, 5), (1, 2 * gates * 5))
            named = [self.weights(f"{kind}{n}", *shape) for n, shape in enumerate(sizes)]
            self.add(kind, rows, *named, hidden_size=5)
        four = [self.weights(f"n{n}", 4) for n in range(3)]
        self.add("InstanceNormalization", "audio", *four[:2])
        positive = self.add("Abs", four[2])
        self.add("BatchNormalization", "audio", *four, positive)
        self.add("LayerNormalization", "audio", self.weights("l", 8))

    def finish(self) -> bytes:
        """Return the file; what no operator reads is an output."""
        read = {name for node in self._nodes for name in node.input}
        border = helper.make_tensor_value_info("audio", TensorProto.FLOAT, IMAGE)
        graph = helper.make_graph(self._nodes, "zoo", [border], [], self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        known = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        for value in known.graph.value_info:
            if value.name not in read:
                graph_output = model.graph.output.add()
                graph_output.CopyFrom(value)
        return bytes(model.SerializeToString())

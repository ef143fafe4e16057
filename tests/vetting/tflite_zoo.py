"""A `.tflite` graph with operators that students do not have, in float32 and in int8."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from runtime_tflite import TfliteWriter

IMAGE = (1, 4, 4, 8)


def zoo_tflite(dtype: type = np.float32) -> bytes:
    """Return the file; every operator reads ``audio`` ``[1, 4, 4, 8]``, quantised for int8."""
    zoo = _Zoo(dtype)
    for kind in ("ADD", "MUL", "SUB", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "PRELU"):
        zoo.joins(kind, [*zoo.audio, "other"], IMAGE)
    for kind in ("RELU", "LOGISTIC", "TANH", "HARD_SWISH", "ABS", "LEAKY_RELU", "SOFTMAX"):
        options = schema.SoftmaxOptionsT() if kind == "SOFTMAX" else None
        if options:
            options.beta = 1.0
        zoo.joins(kind, zoo.audio, IMAGE, options)
    zoo.joins("TRANSPOSE", [*zoo.audio, zoo.numbers([0, 3, 1, 2])], (1, 8, 4, 4))
    zoo.joins("RESHAPE", [*zoo.audio, zoo.numbers([4, -1])], (4, 32))
    zoo.joins("EXPAND_DIMS", [*zoo.audio, zoo.numbers([1])], (1, 1, 4, 4, 8))
    zoo.joins("SQUEEZE", zoo.audio, (4, 4, 8), schema.SqueezeOptionsT())
    zoo.joins(
        "SLICE", [*zoo.audio, zoo.numbers([0, 1, 0, 2]), zoo.numbers([1, 2, 4, -1])], (1, 2, 4, 6)
    )
    zoo.strided()
    zoo.joins("PAD", [*zoo.audio, zoo.numbers([[0, 0], [1, 2], [0, 0], [3, 0]])], (1, 7, 4, 11))
    zoo.joins(
        "MIRROR_PAD", [*zoo.audio, zoo.numbers([[0, 0], [2, 1], [0, 0], [0, 3]])], (1, 7, 4, 11),
        schema.MirrorPadOptionsT(),
    )  # fmt: skip
    zoo.joins("TILE", [*zoo.audio, zoo.numbers([1, 2, 1, 3])], (1, 8, 4, 24))
    zoo.joins("BROADCAST_TO", ["row", zoo.numbers(IMAGE)], IMAGE)
    zoo.joins("REVERSE_V2", [*zoo.audio, zoo.numbers([1])], IMAGE)
    zoo.joins(
        "GATHER", [*zoo.audio, zoo.numbers([3, 0, 1])], (1, 4, 3, 8), _options("Gather", axis=2)
    )
    zoo.joins("PACK", [*zoo.audio, "other"], (2, *IMAGE), _options("Pack", axis=0, valuesCount=2))
    zoo.joins(
        "CONCATENATION", [*zoo.audio, "other"], (1, 4, 8, 8), _options("Concatenation", axis=2)
    )
    for kind in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"):
        zoo.joins(
            kind,
            [*zoo.audio, zoo.numbers([1, 2])],
            (1, 1, 1, 8),
            _options("Reducer", keepDims=True),
        )
    for kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        pool = _options("Pool2D", padding=1, strideW=2, strideH=1, filterWidth=2, filterHeight=3)
        zoo.joins(kind, zoo.audio, (1, 2, 2, 8), pool)
    zoo.joins("SPACE_TO_DEPTH", zoo.audio, (1, 2, 2, 32), _options("SpaceToDepth", blockSize=2))
    zoo.joins("DEPTH_TO_SPACE", zoo.audio, (1, 8, 8, 2), _options("DepthToSpace", blockSize=2))
    for kind in ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"):
        words = "ResizeBilinear" if kind.endswith("AR") else "ResizeNearestNeighbor"
        zoo.joins(kind, [*zoo.audio, zoo.numbers([6, 5])], (1, 6, 5, 8), _options(words))
    zoo.joins(
        "BATCH_MATMUL", [*zoo.audio, "other"], (1, 4, 4, 4), _options("BatchMatMul", adjY=True)
    )
    zoo.splits()
    zoo.layers()
    return zoo.finish()


def _options(name: str, **values: Any) -> Any:
    made = getattr(schema, f"{name}OptionsT")()
    for key, value in values.items():
        setattr(made, key, value)
    return made


class _Zoo:
    """The graph as it grows."""

    def __init__(self, dtype: type) -> None:
        self._writer, self._dtype, self._made = TfliteWriter(), dtype, 0
        self._outputs: list[str] = []
        chance = np.random.default_rng(0)
        self._value("audio", IMAGE)
        self._constant("other", chance.normal(0, 40, IMAGE))
        self._constant("row", chance.normal(0, 40, (8,)))
        self.audio = ["audio"]

    def _quantise(self, name: str, scales: list[float]) -> None:
        if self._dtype is np.int8:
            found = schema.QuantizationParametersT()
            found.scale = np.array(scales, np.float32)
            found.zeroPoint = np.zeros(len(scales), np.int64)
            self._writer._tensors[self._writer._names[name]].quantization = found

    def _value(self, name: str, shape: tuple[int, ...], scale: float = 0.05) -> str:
        self._writer.value(name, shape, self._dtype)
        self._quantise(name, [scale])
        return name

    def _constant(self, name: str, values: np.ndarray, scale: float = 0.05) -> str:
        self._writer.constant(name, values.astype(self._dtype))
        self._quantise(name, [scale])
        return name

    def numbers(self, values: Any) -> str:
        """Declare whole numbers."""
        self._made += 1
        return self._writer.constant(f"numbers.{self._made}", np.array(values, np.int32))

    def output(self, shape: tuple[int, ...], scale: float = 0.05) -> str:
        """Declare an output of the graph."""
        self._made += 1
        self._outputs.append(self._value(f"out.{self._made}", shape, scale))
        return self._outputs[-1]

    def joins(
        self, kind: str, inputs: list[str], shape: tuple[int, ...], options: Any = None
    ) -> None:
        """Append an operator with one output."""
        scale = {"LOGISTIC": 1 / 256, "SOFTMAX": 1 / 256, "TANH": 1 / 128}.get(kind, 0.05)
        made = self.output(shape, scale)
        if kind in ("LOGISTIC", "SOFTMAX"):
            found = self._writer._tensors[self._writer._names[made]].quantization
            if found is not None:
                found.zeroPoint = np.array([-128], np.int64)
        self._writer.operator(kind, inputs, [made], options)
        if kind == "BROADCAST_TO":
            self._writer._codes[-1].version = 2

    def strided(self) -> None:
        """Every second column from the end, one row."""
        options = _options("StridedSlice", shrinkAxisMask=2, endMask=4)
        vectors = [self.numbers(v) for v in ([0, 1, 3, 0], [1, 2, 0, 8], [1, 1, -2, 3])]
        self.joins("STRIDED_SLICE", [*self.audio, *vectors], (1, 2, 3), options)

    def splits(self) -> None:
        """Operators of several outputs."""
        two = [self.output((1, 4, 4, 4)) for _ in range(2)]
        self._writer.operator(
            "SPLIT", [self.numbers(3), "audio"], two, _options("Split", numSplits=2)
        )
        parts = [self.output((1, 4, 4, 3)), self.output((1, 4, 4, 5))]
        inputs = ["audio", self.numbers([3, 5]), self.numbers(3)]
        self._writer.operator("SPLIT_V", inputs, parts, _options("SplitV", numSplits=2))
        rows = [self.output((1, 4, 8)) for _ in range(4)]
        self._writer.operator("UNPACK", ["audio"], rows, _options("Unpack", axis=1, num=4))

    def layers(self) -> None:
        """Convolutions and a dense layer."""
        chance = np.random.default_rng(1)
        shapes = {"conv": (6, 3, 2, 8), "deep": (1, 2, 3, 8), "up": (5, 3, 3, 8), "dense": (7, 8)}
        weights = {
            name: self._constant(f"{name}.w", chance.normal(0, 40, shape), 0.01)
            for name, shape in shapes.items()
        }
        bias = {
            name: self._bias(name, rows)
            for name, rows in (("conv", 6), ("deep", 8), ("up", 5), ("dense", 7))
        }
        conv = _options("Conv2D", strideW=2, strideH=1, dilationWFactor=1, dilationHFactor=1)
        self.joins("CONV_2D", ["audio", weights["conv"], bias["conv"]], (1, 4, 2, 6), conv)
        deep = _options(
            "DepthwiseConv2D", padding=1, strideW=1, strideH=1, depthMultiplier=1, dilationHFactor=3
        )
        self.joins(
            "DEPTHWISE_CONV_2D", ["audio", weights["deep"], bias["deep"]], (1, 1, 2, 8), deep
        )
        up = _options("TransposeConv", strideW=2, strideH=2)
        size = self.numbers((1, 8, 8, 5))
        self.joins("TRANSPOSE_CONV", [size, weights["up"], "audio", bias["up"]], (1, 8, 8, 5), up)
        dense = _options("FullyConnected", keepNumDims=True)
        self.joins(
            "FULLY_CONNECTED", ["audio", weights["dense"], bias["dense"]], (1, 4, 4, 7), dense
        )

    def _bias(self, name: str, rows: int) -> str:
        if self._dtype is np.float32:
            return self._constant(f"{name}.b", np.ones(rows))
        made = self._writer.constant(f"{name}.b", np.ones(rows, np.int32))
        self._quantise(made, [0.05 * 0.01])
        return made

    def finish(self) -> bytes:
        """Return the file."""
        return self._writer.to_bytes(["audio"], self._outputs)

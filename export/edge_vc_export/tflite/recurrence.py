"""A gated recurrent unit as basic operators, since TFLite has none with explicit state."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema

from edge_vc_export.formats import UnsupportedOperationError
from edge_vc_export.onnx.graph import Array, attribute
from edge_vc_export.tflite.model import ModelBuilder
from edge_vc_export.tflite.tensor_map import Form, TensorMap, slice_out

Lower = Callable[[TensorMap, onnx.NodeProto], None]


class _Cell:
    """Adds operators on vectors ``[1, 1, 1, N]`` with names prefixed by one node's name."""

    def __init__(self, builder: ModelBuilder, name: str) -> None:
        self.builder, self.name = builder, name

    def map(self, code: str, sources: list[int], size: int, options: Any = None) -> int:
        """Add an operator with ``size`` outputs."""
        result = self.builder.tensor(f"{self.name}.{code.lower()}", (1, 1, 1, size))
        self.builder.operator(code, sources, [result], options=options)
        return result

    def matrix(self, source: int, weights: Array, bias: Array, part: str) -> int:
        """Multiply by ``weights`` ``[out, in]`` and add ``bias``."""
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.VALID
        options.strideH = options.strideW = 1
        operands = [
            source,
            self.builder.constant(f"{self.name}.{part}.weight", weights[:, None, None, :]),
            self.builder.constant(f"{self.name}.{part}.bias", bias),
        ]
        return self.map("CONV_2D", operands, len(weights), options)

    def join(self, sources: list[int], size: int) -> int:
        """Concatenate vectors."""
        options = schema.ConcatenationOptionsT()
        options.axis = 3
        return self.map("CONCATENATION", sources, size, options)

    def part(self, source: int, start: int, size: int) -> int:
        """Slice a range out of a vector."""
        result = self.builder.tensor(f"{self.name}.slice", (1, 1, 1, size))
        slice_out(self.builder, source, result, (0, 0, 0, start), (1, 1, 1, size))
        return result


class _Gru:
    """The matrices of one ONNX GRU node, in its order update, reset, new."""

    def __init__(self, tensors: TensorMap, node: onnx.NodeProto) -> None:
        constants = tensors.graph.constants
        self.weights, self.recurrent = (constants[name][0] for name in node.input[1:3])
        self.bias, self.size = constants[node.input[3]][0], self.recurrent.shape[1]
        self.cell = _Cell(tensors.builder, node.name)

    @property
    def channels(self) -> int:
        """Channels of one frame."""
        return int(self.weights.shape[1])

    def advance(self, x: int, hidden: int, result: Callable[[], int]) -> int:
        """Write the hidden vector after one frame ``x`` to the tensor that ``result`` adds."""
        cell, size, two = self.cell, self.size, 2 * self.size
        both = self.bias[: 3 * size] + self.bias[3 * size :]
        joined = cell.join([x, hidden], self.channels + size)
        stacked = np.concatenate([self.weights, self.recurrent], axis=1)
        gates = cell.matrix(joined, stacked[:two], both[:two], "gates")
        gates = cell.map("LOGISTIC", [gates], two)
        update, reset = cell.part(gates, 0, size), cell.part(gates, size, size)
        heard = cell.matrix(x, self.weights[two:], self.bias[two : 3 * size], "input")
        kept = cell.matrix(hidden, self.recurrent[two:], self.bias[3 * size + two :], "hidden")
        kept = cell.map("MUL", [reset, kept], size, schema.MulOptionsT())
        new = cell.map("ADD", [heard, kept], size, _add())
        new = cell.map("TANH", [new], size)
        change = cell.map("SUB", [hidden, new], size, schema.SubOptionsT())
        change = cell.map("MUL", [update, change], size, schema.MulOptionsT())
        made = result()
        cell.builder.operator("ADD", [new, change], [made], options=_add())
        return made


def _gru(tensors: TensorMap, node: onnx.NodeProto) -> None:
    """Lower a GRU (Cho et al., 2014), reset applied after the matrix; frames one by one."""
    if not attribute(node, "linear_before_reset", 0):
        raise UnsupportedOperationError(
            "TFLite does not support a GRU that resets before its matrix"
        )
    gru, frames = _Gru(tensors, node), tensors.shape(node.input[0])[0]
    hidden = tensors.reshaped(node.input[5], (1, 1, 1, gru.size))
    line = tensors.reshaped(node.input[0], (1, 1, frames, gru.channels))
    if frames == 1:
        last = gru.advance(line, hidden, lambda: tensors.new(node.output[0], (1, 1, 1, gru.size)))
    else:
        last = _unrolled(tensors, node, gru, line, hidden)
    for name in node.output[1:]:
        tensors.record(name, Form(last, (1, 1, 1, gru.size)))


def _unrolled(tensors: TensorMap, node: onnx.NodeProto, gru: _Gru, line: int, hidden: int) -> int:
    """Advance over every frame of ``line``, join the results and return the last one."""
    builder, frames, results = tensors.builder, tensors.shape(node.input[0])[0], []
    for frame in range(frames):
        x = builder.tensor(f"{node.name}.frame{frame}", (1, 1, 1, gru.channels))
        slice_out(builder, line, x, (0, 0, frame, 0), (1, 1, 1, gru.channels))
        name = f"{node.name}.hidden{frame}"
        hidden = gru.advance(x, hidden, partial(builder.tensor, name, (1, 1, 1, gru.size)))
        results.append(hidden)
    options = schema.ConcatenationOptionsT()
    options.axis = 2
    joined = tensors.new(node.output[0], (1, 1, frames, gru.size))
    builder.operator("CONCATENATION", results, [joined], options=options)
    return hidden


def _add() -> Any:
    return schema.AddOptionsT()


RECURRENCE: dict[str, Lower] = {"GRU": _gru}

"""A gated recurrent unit of one frame, taken apart: TFLite has none with explicit state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema

from edge_vc_export.formats import UnsupportedLayerError
from edge_vc_export.onnx.graph import Array, attribute
from edge_vc_export.tflite.model import ModelBuilder
from edge_vc_export.tflite.tensor_map import Ledger, slice_out

Lower = Callable[[Ledger, onnx.NodeProto], None]


class _Cell:
    """Writes operators on vectors ``[1, 1, 1, N]`` with names below one node's."""

    def __init__(self, builder: ModelBuilder, name: str) -> None:
        self.builder, self.name = builder, name

    def map(self, code: str, sources: list[int], size: int, options: Any = None) -> int:
        """Add an operator with a result of ``size``."""
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
        """Put vectors one behind the other."""
        options = schema.ConcatenationOptionsT()
        options.axis = 3
        return self.map("CONCATENATION", sources, size, options)

    def part(self, source: int, start: int, size: int) -> int:
        """Cut a range out of a vector."""
        result = self.builder.tensor(f"{self.name}.slice", (1, 1, 1, size))
        slice_out(self.builder, source, result, (0, 0, 0, start), (1, 1, 1, size))
        return result


def _gru(ledger: Ledger, node: onnx.NodeProto) -> None:
    """Cho et al. (2014), the reset applied behind the matrix; ONNX orders update, reset, new."""
    shape = ledger.shape(node.input[0])
    if shape[0] != 1 or not attribute(node, "linear_before_reset", 0):
        raise UnsupportedLayerError(
            f"{node.name}: a GRU over {shape[0]} frames at once; export one frame per step"
        )
    constants = ledger.graph.constants
    weights, recurrent = (constants[name][0] for name in node.input[1:3])
    size = recurrent.shape[1]
    bias = constants[node.input[3]][0]
    cell = _Cell(ledger.builder, node.name)
    hidden = ledger.laid(node.input[5], (1, 1, 1, size))
    x = ledger.laid(node.input[0], (1, 1, 1, weights.shape[1]))
    two, both = 2 * size, bias[: 3 * size] + bias[3 * size :]
    joined = cell.join([x, hidden], weights.shape[1] + size)
    stacked = np.concatenate([weights, recurrent], axis=1)
    gates = cell.matrix(joined, stacked[:two], both[:two], "gates")
    gates = cell.map("LOGISTIC", [gates], two)
    update, reset = cell.part(gates, 0, size), cell.part(gates, size, size)
    heard = cell.matrix(x, weights[two:], bias[two : 3 * size], "input")
    kept = cell.matrix(hidden, recurrent[two:], bias[3 * size + two :], "hidden")
    kept = cell.map("MUL", [reset, kept], size, schema.MulOptionsT())
    new = cell.map("ADD", [heard, kept], size, _add())
    new = cell.map("TANH", [new], size)
    change = cell.map("SUB", [hidden, new], size, schema.SubOptionsT())
    change = cell.map("MUL", [update, change], size, schema.MulOptionsT())
    result = ledger.new(node.output[0], (1, 1, 1, size))
    ledger.builder.operator("ADD", [new, change], [result], options=_add())
    for name in node.output[1:]:
        ledger.record(name, *ledger.forms(node.output[0]))


def _add() -> Any:
    return schema.AddOptionsT()


RECURRENCE: dict[str, Lower] = {"GRU": _gru}

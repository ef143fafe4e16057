"""Rules for a valid graph; running an invalid one reads or writes out of bounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_vc_runtime.engines.litert_engine.tflite_forms import FORMS
from edge_vc_runtime.engines.litert_engine.tflite_graph import (
    ABSENT,
    Operator,
    Tensor,
    TfliteError,
    TfliteGraph,
)
from edge_vc_runtime.engines.litert_engine.tflite_scales import scales_fault
from edge_vc_runtime.engines.litert_engine.tflite_shapes import RULES, made_shapes
from edge_vc_runtime.engines.litert_engine.tflite_signatures import SIGNATURES

_INTEGERS = {2: np.int32, 4: np.int64}
_WITHOUT_BIAS = ("dense", "transposed")
"""Forms of operators whose bias may be omitted; delegates always read that of a convolution."""


def check_graph(graph: TfliteGraph) -> None:
    """Raise `TfliteError` for a graph whose parts are inconsistent."""
    for name, index in graph.inputs.items():
        if graph.tensors[index].constant:
            raise TfliteError(f"{name} is an input and a constant")
    _check_order(graph)
    for operator in graph.operators:
        for position in operator.kind.sized_by:
            _check_sized(operator, position, graph.tensors)
        if operator.kind.name == "SLICE":
            _check_slice(operator, graph.tensors)
    for operator in graph.operators:
        _check_form(operator, graph.tensors)


def _check_order(graph: TfliteGraph) -> None:
    """Check that every tensor is written exactly once and before it is read."""
    known = {index for index, tensor in enumerate(graph.tensors) if tensor.constant}
    known |= {*graph.inputs.values(), ABSENT}
    for operator in graph.operators:
        for index in operator.inputs:
            if index not in known:
                raise TfliteError(f"{graph.tensors[index].name!r:.60} is read before it is written")
        for index in operator.outputs:
            if index in known:
                raise TfliteError(f"{graph.tensors[index].name!r:.60} is written twice")
            known.add(index)
    for name, index in graph.outputs.items():
        if index not in known:
            raise TfliteError(f"{name} is an output that no operator writes")


def _check_sized(operator: Operator, position: int, tensors: tuple[Tensor, ...]) -> None:
    index = operator.inputs[position] if position < len(operator.inputs) else ABSENT
    if index != ABSENT and not tensors[index].constant:
        raise TfliteError(
            f"the size of {tensors[operator.outputs[0]].name!r:.60} ({operator.kind.name}) depends "
            "on the input; export the model with fixed sizes"
        )


def _check_slice(operator: Operator, tensors: tuple[Tensor, ...]) -> None:
    """Check the bounds of a slice; tflite-runtime reads past the end without an error."""
    if len(operator.inputs) != 3 or ABSENT in operator.inputs:
        raise TfliteError(f"an operator SLICE has {len(operator.inputs)} inputs, 3 belong")
    whole, begin, size = (tensors[index] for index in operator.inputs)
    for start, count, length in zip(_values(begin), _values(size), whole.shape, strict=False):
        if start < 0 or count < -1 or start + max(count, 1) > length:
            raise TfliteError(f"{whole.name!r:.60} is cut from {start} for {count} of {length}")


def _check_form(operator: Operator, tensors: tuple[Tensor, ...]) -> None:
    """Check the number of inputs and outputs, and that types and shapes are consistent."""
    name = operator.kind.name
    wanted = SIGNATURES[name]
    count, made = len(operator.inputs), len(operator.outputs)
    if not wanted.least <= count <= wanted.most or made > wanted.outputs:
        belongs = f"{wanted.least}" + (f" to {wanted.most}" if wanted.most > wanted.least else "")
        raise TfliteError(
            f"an operator {name} has {count} inputs and {made} outputs, {belongs} and up to "
            f"{wanted.outputs} belong"
        )
    if ABSENT in operator.inputs and wanted.form not in _WITHOUT_BIAS:
        raise TfliteError(f"an operator {name} lacks an input that it has to have")
    inputs = [None if index == ABSENT else tensors[index] for index in operator.inputs]
    outputs = [tensors[index] for index in operator.outputs]
    if not FORMS[wanted.form](inputs, outputs):
        facts = ", ".join("none" if t is None else f"{t.type}:{list(t.shape)}" for t in inputs)
        raise TfliteError(
            f"an operator {name} makes {outputs[0].name!r:.60} of types and shapes that do not "
            f"belong together ({facts[:100]})"
        )
    _check_shapes(operator, inputs, outputs)
    fault = scales_fault(operator, inputs, outputs)
    if fault:
        raise TfliteError(f"an operator {name}, which makes {outputs[0].name!r:.60}, {fault}")


def _check_shapes(
    operator: Operator, inputs: Sequence[Tensor | None], outputs: Sequence[Tensor]
) -> None:
    """Check that the outputs have the shapes that the library computes for them."""
    name, said = operator.kind.name, [tensor.shape for tensor in outputs]
    if name not in RULES:
        return
    made = made_shapes(operator, inputs, len(outputs))
    if made is None:
        raise TfliteError(
            f"an operator {name}, which makes {outputs[0].name!r:.60}, reaches beyond its input "
            "or contradicts its options"
        )
    if list(made) != said:
        raise TfliteError(
            f"an operator {name} makes {list(made[0])!s:.60}, {outputs[0].name!r:.60} is said to "
            f"be {list(said[0])!s:.60}"
        )


def _values(tensor: Tensor) -> list[int]:
    if tensor.data is None or tensor.type not in _INTEGERS:
        raise TfliteError(f"{tensor.name!r:.60} has to hold whole numbers")
    values: list[int] = np.frombuffer(tensor.data, _INTEGERS[tensor.type]).tolist()
    return values

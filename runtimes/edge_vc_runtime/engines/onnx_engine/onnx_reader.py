"""Reading and checking an untrusted `.onnx` file before a library loads it.

A file that passes contains all its weights, has only operators of the standard domain that are
known to this runtime, in an order in which each value is written once before it is used, and
complete constants. Field numbers are those of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np

from edge_vc_runtime.engines.onnx_engine.onnx_node import KnownValues, OnnxNode, WindowError
from edge_vc_runtime.engines.onnx_engine.onnx_operators import OPERATORS
from edge_vc_runtime.engines.onnx_engine.onnx_shapes import learn_shapes
from edge_vc_runtime.engines.onnx_engine.protobuf import FieldCount, Message, ProtobufError

FLOAT = "tensor(float)"
"""ONNX Runtime's name for float32."""
_KINDS = {
    1: (FLOAT, 4), 2: ("tensor(uint8)", 1), 3: ("tensor(int8)", 1), 4: ("tensor(uint16)", 2),
    5: ("tensor(int16)", 2), 6: ("tensor(int32)", 4), 7: ("tensor(int64)", 8),
    9: ("tensor(bool)", 1), 10: ("tensor(float16)", 2), 11: ("tensor(double)", 8),
    12: ("tensor(uint32)", 4), 13: ("tensor(uint64)", 8),
}  # fmt: skip
"""Name and bytes per item by type number."""
_LISTS = {1: (4, 4), 6: (5, 0), 7: (7, 0), 11: (10, 8), 12: (11, 0), 13: (11, 0)}
_SMALL = (5, 0)
"""Number of the field that may hold a type's values, and its width in bytes: 0 for varints."""
_ITEMS = 1 << 26  # in one tensor
_BYTES = 1 << 28  # in all constants together
_RANK = 8
_VERSIONS = (3, 20)
_OPERATOR_SETS = (7, 40)
_STANDARD = ("", "ai.onnx")
_INT64 = 7
_LONGEST_LIST = 64
_STEP, _ANY = (1, 1 << 16), (1 << 31) - 1
_RANGES = {
    **dict.fromkeys(
        ("kernel_shape", "strides", "dilations", "group", "blocksize", "num_outputs"), _STEP
    ),
    **dict.fromkeys(("pads", "output_padding"), (-(1 << 16), 1 << 16)),
}
"""Allowed ranges of integer attributes: kernels multiply and divide by them unchecked."""

_MODEL = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26})
_GRAPH = frozenset({1, 2, 5, 10, 11, 12, 13, 14, 15, 16})
_NODE = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
_ATTRIBUTE = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 20, 21, 22, 23})
_TENSOR = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16})
_VALUE = frozenset({1, 2, 3, 4})
_TYPE = frozenset({1, 4, 5, 6, 8, 9})
_TENSOR_TYPE = _SHAPE = _OPERATOR_SET = frozenset({1, 2})
_DIMENSION = frozenset({1, 2, 3})


class OnnxError(ValueError):
    """A file that is not a model that this runtime can load safely; one line."""


@dataclass(frozen=True)
class OnnxGraph:
    """A graph's inputs and outputs: shape and type, as named by ONNX Runtime, by name."""

    inputs: Mapping[str, tuple[tuple[int, ...], str]]
    outputs: Mapping[str, tuple[tuple[int, ...], str]]
    operators: tuple[str, ...] = field(default=())


def read_onnx(data: bytes) -> OnnxGraph:
    """Read a file; raises `OnnxError` for anything that should not be passed to a library."""
    try:
        model = Message(memoryview(data), _MODEL, FieldCount())
        return _read(model)
    except ProtobufError as error:
        raise OnnxError(f"is not an ONNX model: {error}") from error


def _read(model: Message) -> OnnxGraph:
    version, (low, high) = model.integer(1), _VERSIONS
    if not low <= version <= high:
        raise OnnxError(f"is of IR version {version}, this reads {low} to {high}")
    _check_operator_sets(model)
    graph = model.message(7, _GRAPH)
    if graph is None:
        raise OnnxError("holds no graph")
    if model.has(25) or model.has(20):
        raise OnnxError("holds functions or training information, which this runtime does not take")
    if graph.has(15):
        raise OnnxError("holds sparse weights, which this runtime does not take")
    constants = _constants(graph)
    inputs, outputs = (_border(graph, number) for number in (11, 12))
    both = next((name for name in inputs if name in constants.shapes), None)
    if both is not None:
        raise OnnxError(f"{both[:60]!a} is an input and a constant")
    fixed = set(constants.shapes)
    constants.shapes.update({name: shape for name, (shape, _) in inputs.items()})
    operators = _check_order(graph, constants, fixed, outputs)
    return OnnxGraph(inputs, outputs, operators)


def _check_operator_sets(model: Message) -> None:
    sets = model.messages(8, _OPERATOR_SET)
    domains = [each.text(1) for each in sets]
    foreign = next((domain for domain in domains if domain not in _STANDARD), None)
    if foreign is not None:
        raise OnnxError(f"uses operators of {foreign[:60]!a}; export it with standard ones")
    low, high = _OPERATOR_SETS
    if len(sets) != 1 or not low <= sets[0].integer(2) <= high:
        found = [each.integer(2) for each in sets]
        raise OnnxError(f"has the operator sets {found!s:.60}, one from {low} to {high} belongs")


def _constants(graph: Message) -> KnownValues:
    """Check all initializers and return their shapes and short lists of numbers by name."""
    known = KnownValues()
    size = 0
    for tensor in graph.messages(5, _TENSOR):
        name = tensor.text(8)
        size += _check_tensor(tensor, name)
        if name in known.shapes or not name:
            raise OnnxError(f"the constant {name[:60]!a} is there twice or has no name")
        _learn_constant(known, name, tensor)
    if size > _BYTES:
        raise OnnxError(f"needs more than {_BYTES >> 20} MiB for its constants")
    return known


def _learn_constant(known: KnownValues, name: str, tensor: Message) -> None:
    """Store a checked constant's shape and, if it is a short list of int64, its numbers."""
    shape = known.shapes[name] = tuple(tensor.integers(1))
    if tensor.integer(2) == _INT64 and len(shape) <= 1 and prod(shape) <= _LONGEST_LIST:
        listed, raw = tensor.integers(7), tensor.content(9)
        known.numbers[name] = listed or [int(each) for each in np.frombuffer(raw, "<i8")]


def _check_tensor(tensor: Message, name: str) -> int:
    """Check that a constant's values are in the file and match its shape; return its bytes."""
    called, kind = f"{name[:60]!a}", tensor.integer(2)
    if tensor.integer(14) or tensor.has(13):
        raise OnnxError(f"the constant {called} is kept in another file; it has to be inside")
    if kind not in _KINDS or tensor.has(6) or tensor.has(3):
        raise OnnxError(
            f"the constant {called} is of type {kind}, which this runtime does not take"
        )
    shape = tensor.integers(1)
    if len(shape) > _RANK or any(not 0 <= size <= _ITEMS for size in shape):
        raise OnnxError(f"the constant {called} has the shape {shape!s:.60}")
    items, width = prod(shape), _KINDS[kind][1]
    if items > _ITEMS:
        raise OnnxError(f"the constant {called} has {items} items, at most {_ITEMS} are allowed")
    number, packed = _LISTS.get(kind, _SMALL)
    listed, raw = tensor.count(number, packed), len(tensor.content(9))
    if (listed, raw) not in ((items, 0), (0, items * width)):
        raise OnnxError(f"the constant {called} has {listed} values and {raw} bytes for {items}")
    return items * width


def _border(graph: Message, number: int) -> dict[str, tuple[tuple[int, ...], str]]:
    found: dict[str, tuple[tuple[int, ...], str]] = {}
    for value in graph.messages(number, _VALUE):
        name = value.text(1)
        if name in found or not name:
            raise OnnxError(f"the input or output {name[:60]!a} is there twice or has no name")
        found[name] = _shape_and_kind(value, name)
    return found


def _shape_and_kind(value: Message, name: str) -> tuple[tuple[int, ...], str]:
    kind = value.message(2, _TYPE)
    tensor = kind.message(1, _TENSOR_TYPE) if kind else None
    shape = tensor.message(2, _SHAPE) if tensor else None
    if tensor is None or shape is None or tensor.integer(1) not in _KINDS:
        raise OnnxError(f"{name[:60]!a} is not a tensor of a known type and shape")
    sizes = [size.integer(1) for size in shape.messages(1, _DIMENSION)]
    if any(size < 1 for size in sizes) or prod(sizes) > _ITEMS:
        raise OnnxError(f"{name[:60]!a} has the shape {sizes!s:.60}, not a fixed one")
    return tuple(sizes), _KINDS[tensor.integer(1)][0]


def _check_order(
    graph: Message,
    values: KnownValues,
    fixed: set[str],
    outputs: Mapping[str, tuple[tuple[int, ...], str]],
) -> tuple[str, ...]:
    """Check every node in turn; each value has to be written once, before it is used.

    ``values`` contains inputs and constants, ``fixed`` the names of the constants.
    """
    known = set(values.shapes)
    kinds = []
    for message in graph.messages(1, _NODE):
        node = _check_node(message, fixed, values)
        for name in node.inputs:
            if name and name not in known:
                raise OnnxError(f"{name[:60]!a} is read before it is written")
        for name in node.outputs:
            if name in known:
                raise OnnxError(f"{name[:60]!a} is written twice")
            known |= {name} - {""}
        try:
            learn_shapes(node, values)
        except WindowError as error:
            raise OnnxError(f"an operator {node.kind} {error}") from error
        # Every size is fixed, so a value that only depends on sizes is also a constant.
        sized = node.kind in ("Shape", "Size")
        if sized or all(not name or name in fixed for name in node.inputs):
            fixed |= {*node.outputs} - {""}
        kinds.append(node.kind)
    for name, (shape, _) in outputs.items():
        if name not in known:
            raise OnnxError(f"{name[:60]!a} is an output that no operator writes")
        if values.shapes.get(name, shape) != shape:
            raise OnnxError(
                f"{name[:60]!a} has the shape {list(values.shapes[name])!s:.60}, the graph says "
                f"{list(shape)!s:.60}"
            )
    return tuple(kinds)


def _check_node(node: Message, fixed: set[str], values: KnownValues) -> OnnxNode:
    """Check an operator on its own and return it."""
    kind, given, made = node.text(4), node.texts(1), node.texts(2)
    domain, wanted = node.text(7), OPERATORS.get(kind)
    if domain not in _STANDARD or wanted is None:
        name = f"{domain}.{kind}" if domain else kind
        raise OnnxError(
            f"holds an operator ({name[:80]!a}) that this runtime does not take: control flow, a "
            "size that is not fixed, or a custom one"
        )
    if not wanted.least <= len(given) <= wanted.most or not 1 <= len(made) <= wanted.outputs:
        raise OnnxError(f"an operator {kind} has {len(given)} inputs and {len(made)} outputs")
    for place in wanted.fixed:
        if place < len(given) and given[place] and given[place] not in fixed:
            raise OnnxError(
                f"input {place + 1} of {kind} ({given[place][:60]!a}) depends on the input of the "
                "model, it has to be a constant"
            )
    if not any(made):
        raise OnnxError(f"an operator {kind} has no output")
    attributes = {each.text(1): each for each in _attributes(node)}
    numbers = {name: _check_attribute(each, kind) for name, each in attributes.items()}
    if kind == "Constant" and "value" in attributes:
        tensor = attributes["value"].message(5, _TENSOR)
        if tensor is not None:
            _learn_constant(values, made[0], tensor)
    return OnnxNode(kind, given, made, numbers, _padding(attributes))


def _padding(attributes: Mapping[str, Message]) -> str:
    """Return `auto_pad`, empty if missing."""
    found = attributes.get("auto_pad")
    return "" if found is None else found.content(4).tobytes().decode("ascii", "replace")


def _attributes(node: Message) -> Iterator[Message]:
    seen: set[str] = set()
    for attribute in node.messages(5, _ATTRIBUTE):
        name = attribute.text(1)
        if name in seen:
            raise OnnxError(f"an attribute {name[:60]!a} is there twice")
        seen.add(name)
        yield attribute


def _check_attribute(attribute: Message, kind: str) -> list[int]:
    if any(attribute.has(number) for number in (6, 11, 14, 15, 21, 22, 23)):
        raise OnnxError(f"an operator {kind} holds a graph, a type or a reference as attribute")
    low, high = _RANGES.get(attribute.text(1), (-_ANY, _ANY))
    values = [*attribute.integers(8), *attribute.integers(3)]
    for value in values:
        if not low <= value <= high:
            raise OnnxError(
                f"{attribute.text(1)[:60]!a} of an operator {kind} is {value}, it has to be {low} "
                f"to {high}"
            )
    tensors = [*attribute.messages(10, _TENSOR)]
    single = attribute.message(5, _TENSOR)
    for tensor in (*tensors, *([single] if single else [])):
        _check_tensor(tensor, attribute.text(1))
    return values

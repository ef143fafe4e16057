"""Graph clean-up: at one hop per run every node, needed or not, costs about a microsecond."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from edge_vc_export.onnx.graph import Array, Graph

_FOLD_LIMIT = 1 << 20
"""Results with more elements than this are not folded."""

_QUANTISERS = ("QuantizeLinear", "DequantizeLinear")
_MOVES_NOTHING = ("Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Dropout")


def clean(graph: Graph) -> Graph:
    """Fold constants, merge reshapes, drop duplicates, sort and rename the remaining nodes."""
    return tidy(simplify(graph))


def simplify(graph: Graph) -> Graph:
    """Fold constants and merge reshapes; nodes keep the exporter's names."""
    for edit in (fold_constants, merge_reshapes):
        graph.sort()
        edit(graph)
        graph.sweep()
    return graph


def tidy(graph: Graph) -> Graph:
    """Drop duplicates, sort and rename the rest; transposes are left for the engine to cancel."""
    for edit in (share_constants, drop_repeats):
        graph.sort()
        edit(graph)
        graph.sweep()
    graph.sort()
    rename(graph)
    return graph


def fold_constants(graph: Graph) -> None:
    """Replace nodes that depend only on constants by their result.

    Quantised weights keep their DequantizeLinear; otherwise they would become float.
    """
    for node in list(graph.nodes):
        known = [name in graph.constants for name in node.input if name]
        if node.op_type in _QUANTISERS or len(node.output) != 1 or not known or not all(known):
            continue
        result = _evaluate(graph, node)
        if result.size <= _FOLD_LIMIT and node.output[0] not in graph.outputs:
            graph.constants[node.output[0]] = result
            graph.remove(node)


def _evaluate(graph: Graph, node: onnx.NodeProto) -> Array:
    feeds = {name: graph.constants[name] for name in node.input if name}
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
        for name, a in feeds.items()
    ]
    output = onnx.ValueInfoProto(name=node.output[0])
    single = helper.make_graph([node], "constant", inputs, [output])
    model = helper.make_model(single, opset_imports=list(graph.model.opset_import))
    results: Any = ReferenceEvaluator(model).run(None, feeds)
    return np.asarray(results[0])


def merge_reshapes(graph: Graph) -> None:
    """Turn each chain of nodes that move no data into one Reshape, or remove it."""
    shapes = graph.shapes()
    for node in list(graph.nodes):
        if not _moves_nothing(graph, node, shapes):
            continue
        source, result = _source(graph, node, shapes), node.output[0]
        if shapes[source] == shapes[result] and _can_become(graph, source, result):
            graph.redirect(result, source)
            graph.remove(node)
        elif shapes[source] != shapes[result]:
            shape = graph.constant(np.array(shapes[result], dtype=np.int64), "shape")
            graph.insert("Reshape", [source, shape], before=node, output=result)
            graph.remove(node)


def _source(graph: Graph, node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]) -> str:
    """Return the tensor whose data ``node`` and its predecessors pass on unchanged."""
    name = str(node.input[0])
    while (maker := graph.producer(name)) is not None and _moves_nothing(graph, maker, shapes):
        name = str(maker.input[0])
    return name


def _moves_nothing(graph: Graph, node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]) -> bool:
    before, after = shapes.get(node.input[0], ()), shapes[node.output[0]]
    match node.op_type:
        case "Transpose":
            order: list[int] = list(helper.get_attribute_value(node.attribute[0]))
            moved = [axis for axis in order if before[axis] != 1]
            return moved == sorted(moved)
        case "Concat":
            return len(node.input) == 1
        case "Slice":
            steps = graph.constants.get(node.input[4]) if len(node.input) > 4 else None
            return before == after and (steps is None or bool((steps > 0).all()))
        case "Expand":
            return before == after
        case operation:
            return operation in _MOVES_NOTHING


def _can_become(graph: Graph, source: str, result: str) -> bool:
    """Return whether ``source`` can replace ``result``.

    A graph output must be produced by a node, and by one that produces no other output.
    """
    if result not in graph.outputs:
        return True
    return graph.producer(source) is not None and source not in graph.outputs


def share_constants(graph: Graph) -> None:
    """Merge equal constants."""
    seen: dict[tuple[str, tuple[int, ...], bytes], str] = {}
    for name, array in list(graph.constants.items()):
        first = seen.setdefault((array.dtype.str, array.shape, array.tobytes()), name)
        if first != name:
            graph.redirect(name, first)


def drop_repeats(graph: Graph) -> None:
    """Merge nodes that apply the same operation to the same inputs."""
    seen: dict[tuple[object, ...], str] = {}
    for node in list(graph.nodes):
        attributes = sorted(entry.SerializeToString(deterministic=True) for entry in node.attribute)
        key = (node.op_type, tuple(node.input), tuple(attributes))
        first = seen.setdefault(key, node.output[0])
        if first != node.output[0] and not set(node.output) & set(graph.outputs):
            graph.redirect(node.output[0], first)
            graph.remove(node)


def rename(graph: Graph) -> None:
    """Name nodes and tensors after the module whose weights they use, else by operation.

    The exporter's own names contain counters that differ between equal models.
    """
    names: dict[str, str] = {"": ""} | {name: name for name in (*graph.inputs, *graph.outputs)}
    taken = set(names)
    for node in graph.nodes:
        stem = _stem(graph, node)
        node.name = _unique(stem, taken)
        for place, output in enumerate(node.output):
            if output not in names:
                names[output] = node.name if place == 0 else _unique(node.name, taken)
    constants: dict[str, str] = {}
    for node in graph.nodes:
        for place, name in enumerate(node.input):
            if name in graph.constants and name not in constants:
                path = _path(name)
                constants[name] = _unique(path or f"{node.name}.input{place}", taken)
    names |= constants
    for node in graph.nodes:
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    graph.constants = {names[name]: graph.constants[name] for name in constants}
    graph.layers = {names[name]: path for name, path in graph.layers.items() if name in names}


def _stem(graph: Graph, node: onnx.NodeProto) -> str:
    """Return the module path of a node's weights, e.g. ``trunk.2.up``, or its operation."""
    for name in node.input[1:]:
        maker = graph.producer(name)
        weight = maker.input[0] if maker is not None and maker.op_type in _QUANTISERS else name
        path = _path(weight.removesuffix(".int8"))
        if weight in graph.constants and path and node.op_type not in _QUANTISERS:
            return path.rpartition(".")[0]
    return node.op_type.lower()


def _path(name: str) -> str:
    """Return a constant's module path if the exporter kept it, else an empty string."""
    plain = name.removeprefix("layer.")
    return "" if "/" in plain or ":" in plain or "." not in plain else plain


def _unique(stem: str, taken: set[str]) -> str:
    name, count = stem, 1
    while name in taken:
        count += 1
        name = f"{stem}#{count}"
    taken.add(name)
    return name

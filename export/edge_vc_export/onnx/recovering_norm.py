"""Replace an exported student's running mean by the one that recovers from loud events.

Neither mean has weights, so graphs that predate `RecoveringMean` can be converted without their
run: its arithmetic replaces the other's, and its noise floor is an additional state.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import NodeProto, ValueInfoProto, helper, numpy_helper

from edge_vc.nn import RecoveringMean
from edge_vc_export.formats import FormatError

PREFIX = "frontend.norm."
"""Prefix of the mean's states, after ``state.`` and ``next.``."""
_OWN = ("Conv", "QuantizeLinear", "DequantizeLinear", "Reshape")
"""Operators that do not occur in a running mean."""


def with_recovering_graph(data: bytes) -> bytes:
    """Return the ONNX file with the same weights behind a `RecoveringMean`.

    Raises `FormatError` for a graph without the earlier running mean.
    """
    model = onnx.load_from_string(data)
    graph = model.graph
    inputs = {value.name: value for value in graph.input}
    if _state("mean") not in inputs or _state("floor") in inputs:
        raise FormatError("its channel mean recovers already, or it has none: nothing to replace")
    shape = [size.dim_value for size in inputs[_state("mean")].type.tensor_type.shape.dim]
    features, end, start, stop = _old_mean(list(graph.node))
    old = list(graph.node)[start:stop]
    level = next(node for node in old if node.op_type == "ReduceMean")
    mean = RecoveringMean(shape[1])
    nodes = [*graph.node[:start], *_new_mean(features, end, level), *graph.node[stop:]]
    del graph.node[:]
    graph.node.extend(nodes)
    _keep_used(model)
    graph.initializer.extend(
        numpy_helper.from_array(np.array(value, np.float32), f"norm.{name}")
        for name, value in _constants(mean).items()
    )
    _add_state(graph.input, _state("peak"), _state("floor"))
    _add_state(graph.output, _next("peak"), _next("floor"))
    del graph.value_info[:]
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _state(name: str) -> str:
    return f"state.{PREFIX}{name}"


def _next(name: str) -> str:
    return f"next.{PREFIX}{name}"


def _old_mean(nodes: Sequence[NodeProto]) -> tuple[str, NodeProto, int, int]:
    """Return the mean's input, the node that subtracts it, and the range of nodes to replace."""
    end = next((n for n in nodes if n.op_type == "Sub" and n.input[1] == _next("mean")), None)
    if end is None:
        raise FormatError(f"nothing is taken from {_next('mean')}: not a student's graph")
    features = end.input[0]
    start = next(i for i, node in enumerate(nodes) if features in node.output) + 1
    stop = next(i for i, node in enumerate(nodes) if node.output == end.output) + 1
    if any(node.op_type in _OWN for node in nodes[start:stop]):
        raise FormatError("its running mean stands between other layers: not a student's graph")
    return features, end, start, stop


def _constants(mean: RecoveringMean) -> dict[str, float]:
    return {
        "quietest": mean.quietest,
        "fall": mean.fall,
        "rise": mean.rise,
        "above": mean.above,
        "none": 0.0,
        "edge": mean.edge,
        "most": mean.memory - mean.prior,
        "prior": mean.prior,
        "slope": mean.slope,
        "middle": mean.middle,
        "shortest": mean.shortest,
    }


def _new_mean(features: str, end: NodeProto, level: NodeProto) -> list[NodeProto]:
    """Return the nodes of `RecoveringMean.step` for one frame, from ``features`` to ``end``."""
    rows = (
        ("Max", "level", "quietest", "energy"),
        ("Sub", _state("peak"), "fall", "fallen"),
        ("Max", "fallen", "energy", _next("peak")),
        ("Add", _state("floor"), "rise", "risen"),
        ("Add", "energy", "above", "counted"),
        ("Min", "risen", "counted", _next("floor")),
        ("Sub", "energy", _next("floor"), "excess"),
        ("Clip", "excess", "none", "edge", "counts"),
        ("Add", _state("weight"), "counts", "gathered"),
        ("Min", "gathered", "most", _next("weight")),
        ("Add", _next("weight"), "prior", "whole"),
        ("Sub", _next("peak"), "own", "over"),
        ("Mul", "over", "slope", "sloped"),
        ("Add", "sloped", "middle", "reach"),
        ("Max", "reach", "shortest", "memory"),
        ("Min", "whole", "memory", "share"),
        ("Div", "counts", "share", "rate"),
        ("Sub", features, _state("mean"), "way"),
        ("Mul", "rate", "way", "move"),
        ("Add", _state("mean"), "move", _next("mean")),
    )
    made = [_average(level, features, "norm.level"), _average(level, _state("mean"), "norm.own")]
    for operator, *names in rows:
        *given, out = (n if "." in n or n == features else f"norm.{n}" for n in names)
        made.append(helper.make_node(operator, given, [out], f"norm.{names[-1].split('.')[-1]}"))
    made.append(helper.make_node("Sub", [features, _next("mean")], end.output, end.name))
    return made


def _average(like: NodeProto, given: str, out: str) -> NodeProto:
    """Return a node for the mean over the channels, in the form the graph uses."""
    node = NodeProto()
    node.CopyFrom(like)
    node.name = out
    node.input[0], node.output[0] = given, out
    return node


def _keep_used(model: onnx.ModelProto) -> None:
    graph = model.graph
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _add_state(values: object, like: str, name: str) -> None:
    """Insert a port like ``like`` after it: ports keep the order of the state's names."""
    listed: list[ValueInfoProto] = list(values)  # type: ignore[call-overload]
    place = next(index for index, value in enumerate(listed) if value.name == like)
    added = ValueInfoProto()
    added.CopyFrom(listed[place])
    added.name = name
    del values[:]  # type: ignore[attr-defined]
    values.extend([*listed[: place + 1], added, *listed[place + 1 :]])  # type: ignore[attr-defined]

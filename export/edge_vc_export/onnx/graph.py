"""An editable ONNX graph: nodes in order, constants as arrays, producers and consumers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper, shape_inference

Array = NDArray[Any]


class Graph:
    """A graph with static shapes, which the passes of this package edit in place.

    Graphs here have about a hundred nodes, so every query simply scans the list.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self.model = model
        self.inputs: list[str] = [value.name for value in graph.input]
        self.outputs: list[str] = [value.name for value in graph.output]
        self.constants: dict[str, Array] = {
            tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer
        }
        self.nodes: list[onnx.NodeProto] = []
        for node in graph.node:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
            else:
                self.nodes.append(node)
        self.layers: dict[str, str] = {}
        """Tensor name to the path of the layer that computes it, for errors; see `layer_of`."""
        self._fresh = 0

    def producer(self, name: str) -> onnx.NodeProto | None:
        """Return the node that produces the tensor ``name``; None for inputs and constants."""
        return next((node for node in self.nodes if name in node.output), None)

    def consumers(self, name: str) -> list[onnx.NodeProto]:
        """Return the nodes that read the tensor ``name``, in order."""
        return [node for node in self.nodes if name in node.input]

    def only_consumer(self, name: str) -> onnx.NodeProto | None:
        """Return the single reader of ``name``; None if it has several or is a graph output."""
        users = self.consumers(name)
        return users[0] if len(users) == 1 and name not in self.outputs else None

    def layer_of(self, node: onnx.NodeProto) -> str:
        """Return the path of the layer a node belongs to: its own, or the nearest before it.

        If none is known, as in a graph read from a file, it is the node's own name.
        """
        waiting, seen = [node], set()
        while waiting:
            here = waiting.pop(0)
            for name in here.output:
                if name in self.layers:
                    return self.layers[name]
            for name in here.input:
                maker = None if name in seen else self.producer(name)
                seen.add(name)
                if maker is not None:
                    waiting.append(maker)
        return node.name or node.op_type

    def insert(
        self,
        op: str,
        inputs: Iterable[str],
        *,
        before: onnx.NodeProto | None = None,
        output: str | None = None,
        **attributes: Any,
    ) -> str:
        """Add a node (before another, or last) and return the name of its output."""
        output = output or self.fresh(op.lower())
        node = helper.make_node(op, list(inputs), [output], **attributes)
        position = len(self.nodes) if before is None else self.position(before)
        self.nodes.insert(position, node)
        return output

    def position(self, node: onnx.NodeProto) -> int:
        """Return the index of ``node`` by identity: equal nodes are not the same node."""
        return next(place for place, other in enumerate(self.nodes) if other is node)

    def constant(self, array: Array, hint: str = "constant") -> str:
        """Add a constant and return its name."""
        name = self.fresh(hint)
        self.constants[name] = array
        return name

    def fresh(self, hint: str) -> str:
        """Return an unused tensor name."""
        self._fresh += 1
        return f"{hint}.{self._fresh}"

    def redirect(self, old: str, new: str) -> None:
        """Make every reader of ``old`` read ``new``; a graph output keeps its name.

        Raises `ValueError` if both are graph outputs or ``new`` is not produced by a node.
        """
        if old in self.outputs:
            self._make_output(old, new)
            return
        for node in self.nodes:
            for place, name in enumerate(node.input):
                if name == old:
                    node.input[place] = new

    def _make_output(self, old: str, new: str) -> None:
        maker = self.producer(new)
        if maker is None or new in self.outputs:
            raise ValueError(f"graph output {old!r} cannot become {new!r}: no node makes it alone")
        former = self.producer(old)
        if former is not None:
            former.output[list(former.output).index(old)] = self.fresh("replaced")
        for node in [maker, *self.consumers(new)]:
            for names in (node.input, node.output):
                for place, name in enumerate(names):
                    if name == new:
                        names[place] = old

    def reshape_port(self, name: str, shape: tuple[int, ...]) -> None:
        """Give a graph input or output another shape of the same size."""
        graph = self.model.graph
        for value in (*graph.input, *graph.output):
            if value.name == name:
                for size, number in zip(value.type.tensor_type.shape.dim, shape, strict=True):
                    size.dim_value = number

    def remove(self, node: onnx.NodeProto) -> None:
        """Remove a node, whose readers must have been redirected before."""
        del self.nodes[self.position(node)]

    def sweep(self) -> None:
        """Drop nodes and constants that no graph output needs."""
        needed = set(self.outputs)
        for node in reversed(self.nodes):
            if needed.intersection(node.output):
                needed.update(node.input)
        self.nodes = [node for node in self.nodes if needed.intersection(node.output)]
        self.constants = {name: a for name, a in self.constants.items() if name in needed}

    def sort(self) -> None:
        """Sort the nodes topologically; stable."""
        made = {*self.inputs, *self.constants, ""}
        waiting, ordered = list(self.nodes), []
        while waiting:
            ready = next((node for node in waiting if made.issuperset(node.input)), None)
            if ready is None:
                raise ValueError(f"graph has a cycle through {waiting[0].op_type} nodes")
            waiting = [node for node in waiting if node is not ready]
            ordered.append(ready)
            made.update(ready.output)
        self.nodes = ordered

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the static shape of every tensor, inferred afresh."""
        model = shape_inference.infer_shapes(self.to_model(), strict_mode=True, data_prop=True)
        values = (*model.graph.input, *model.graph.value_info, *model.graph.output)
        shapes = {
            value.name: tuple(size.dim_value for size in value.type.tensor_type.shape.dim)
            for value in values
        }
        return shapes | {name: array.shape for name, array in self.constants.items()}

    def to_model(self, metadata: Mapping[str, str] | None = None) -> onnx.ModelProto:
        """Return a model of this graph without paths, stack traces or exporter metadata."""
        old = self.model.graph
        tensors = [
            numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
            for name, array in self.constants.items()
        ]
        for node in self.nodes:
            node.ClearField("doc_string")
            del node.metadata_props[:]
        graph = helper.make_graph(
            self.nodes, "edge_vc", list(old.input), list(old.output), initializer=tensors
        )
        model = helper.make_model(
            graph,
            opset_imports=list(self.model.opset_import),
            ir_version=self.model.ir_version,
            producer_name="edge-vc",
        )
        helper.set_model_props(model, dict(metadata or {}))
        return model


def attribute(node: onnx.NodeProto, name: str, default: object = None) -> object:
    """Return one attribute's value, or ``default`` when the node does not set it."""
    for entry in node.attribute:
        if entry.name == name:
            return helper.get_attribute_value(entry)
    return default

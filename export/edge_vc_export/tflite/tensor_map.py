"""Map values of an ONNX graph to TFLite tensors and their element order.

TFLite's convolutions need channels last, ONNX's channels first. A value is therefore kept as an
operator produces it and converted to another form only if a reader needs that. For one frame,
which is nearly everything here, both orders are the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge_vc_export.onnx.graph import Array, Graph
from edge_vc_export.tflite.model import ModelBuilder, Shape
from edge_vc_export.tflite.quant_params import activation_quant_params

Order = tuple[int, ...]
TO_LAST, TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
"""Axis permutations that put channels last, and back."""


@dataclass(frozen=True)
class Form:
    """A tensor that holds a value; transposing by ``order`` gives ONNX's element order."""

    index: int
    shape: Shape
    order: Order | None = None
    """None if the elements are already in ONNX's order; ``shape`` may then be any."""


class TensorMap:
    """The forms of every value, created on demand."""

    def __init__(
        self, graph: Graph, builder: ModelBuilder, integer_weights: frozenset[str] = frozenset()
    ) -> None:
        self.graph, self.builder = graph, builder
        self.integer_weights = integer_weights
        self.shapes = graph.shapes()
        self.quant_params = activation_quant_params(graph)
        """Scale and zero point of integer values."""
        self.padded: dict[str, Form] = {}
        """Channels-last tensors that hold a value followed by padding channels."""
        self._forms: dict[str, list[Form]] = {}

    def shape(self, name: str) -> Shape:
        """Return the shape that a value has in ONNX."""
        return self.shapes[name]

    def constant(self, name: str) -> Array | None:
        """Return the value of a constant, None for anything computed."""
        return self.graph.constants.get(name)

    def has(self, name: str) -> bool:
        """Return whether a value has been computed, or is an omitted optional input."""
        return not name or name in self._forms or name in self.padded

    def forms(self, name: str) -> list[Form]:
        """Return the existing forms of a computed value."""
        if name not in self._forms:
            self._trim(name)
        return self._forms[name]

    def _trim(self, name: str) -> None:
        """Slice a value out of its tensor with padding channels."""
        wide = self.padded[name]
        shape = (*wide.shape[:-1], self.shape(name)[1])
        trimmed = self.new(name, shape, wide.order)
        slice_out(self.builder, wide.index, trimmed, (0, 0, 0, 0), shape)

    def new(self, name: str, shape: Shape, order: Order | None = None) -> int:
        """Add a tensor for a value that an operator is about to compute; return its index."""
        index = self.tensor(name, shape)
        self.record(name, Form(index, shape, order))
        return index

    def record(self, name: str, *forms: Form) -> None:
        """Record further tensors that hold a value."""
        self._forms.setdefault(name, []).extend(_straightened(form) for form in forms)

    def reshaped(self, name: str, shape: Shape) -> int:
        """Return a tensor of ``shape`` with the value's elements in ONNX's order."""
        array = self.constant(name)
        if array is not None:
            return self.builder.constant(name, np.reshape(array, shape))
        if all(form.order is not None for form in self.forms(name)):
            self._turn_back(name)
        plain = [form for form in self.forms(name) if form.order is None]
        found = next((form for form in plain if form.shape == shape), None)
        if found is None:
            found = Form(self.tensor(name, shape), shape)
            reshape(self.builder, plain[0].index, found.index, shape)
            self.record(name, found)
        return found.index

    def as_is(self, name: str) -> int:
        """Return a tensor with the value in its shape and order in ONNX."""
        return self.reshaped(name, self.shape(name))

    def channels_last(self, name: str) -> int:
        """Return ``[1, C, H, W]`` as ``[1, H, W, C]``; missing leading axes are ones."""
        onnx_shape = (1,) * (4 - len(self.shape(name))) + self.shape(name)
        one, channels, height, width = onnx_shape
        array = self.constant(name)
        if array is not None:
            return self.builder.constant(name, np.reshape(array, onnx_shape).transpose(TO_LAST))
        shape = (one, height, width, channels)
        if channels == 1 or height * width == 1:
            return self.reshaped(name, shape)
        found = next((form for form in self.forms(name) if form.order == TO_FIRST), None)
        if found is None:
            found = Form(self.tensor(name, shape), shape, TO_FIRST)
            transpose(self.builder, self.as_is(name), found.index, TO_LAST)
            self.record(name, found)
        return found.index

    def is_channels_last(self, name: str) -> bool:
        """Return whether a computed ``[1, C, H, W]`` exists only as ``[1, H, W, C]``."""
        return all(form.order == TO_FIRST for form in self.forms(name))

    def new_channels_last(self, name: str) -> int:
        """Add a tensor ``[1, H, W, C]`` for a value that is ``[1, C, H, W]`` in ONNX."""
        one, channels, height, width = self.shape(name)
        return self.new(name, (one, height, width, channels), TO_FIRST)

    def _turn_back(self, name: str) -> None:
        source = self.forms(name)[0]
        form = Form(self.tensor(name, self.shape(name)), self.shape(name))
        transpose(self.builder, source.index, form.index, source.order or ())
        self.record(name, form)

    def tensor(self, name: str, shape: Shape) -> int:
        """Add a tensor of the value's type, without recording it as a form of the value."""
        quant_params = self.quant_params.get(name)
        return self.builder.tensor(name, shape, "int8" if quant_params else "float32", quant_params)


def _straightened(form: Form) -> Form:
    """Drop an order that moves only axes of one element."""
    if form.order is None:
        return form
    moved = [axis for axis in form.order if form.shape[axis] != 1]
    return Form(form.index, form.shape) if moved == sorted(moved) else form


def reshape(builder: ModelBuilder, source: int, result: int, shape: Shape) -> None:
    """Add a reshape of ``source``."""
    options = schema.ReshapeOptionsT()
    options.newShape = np.array(shape, np.int32)
    sizes = builder.constant("shape", np.array(shape, np.int32))
    builder.operator("RESHAPE", [source, sizes], [result], options=options)


def transpose(builder: ModelBuilder, source: int, result: int, order: Order) -> None:
    """Add a transpose of ``source`` by ``order``."""
    axes = builder.constant("order", np.array(order, np.int32))
    builder.operator(
        "TRANSPOSE", [source, axes], [result], version=2, options=schema.TransposeOptionsT()
    )


def slice_out(builder: ModelBuilder, source: int, result: int, begin: Shape, size: Shape) -> None:
    """Add a slice of ``source`` with ``size`` elements starting at ``begin``."""
    bounds = [
        builder.constant("begin", np.array(begin, np.int32)),
        builder.constant("size", np.array(size, np.int32)),
    ]
    builder.operator("SLICE", [source, *bounds], [result], options=schema.SliceOptionsT())


def is_vector(shape: Shape) -> bool:
    """Return whether at most one axis has more than one element."""
    return prod(shape) == max(shape, default=1)

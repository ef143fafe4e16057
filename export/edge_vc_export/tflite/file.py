"""Read a TFLite file, and expose its inner tensors as outputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge_vc_export.tflite.model import Shape
from edge_vc_runtime.engines.litert_engine.tflite_pack import (
    IDENTIFIER,
    AlignedBuffer,
    pack,
    unpack,
)

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


class TfliteFile:
    """One of this package's own files: one subgraph, one signature."""

    def __init__(self, data: bytes) -> None:
        if data[4:8] != IDENTIFIER:
            raise ValueError("is not a TFLite file")
        self._model: Any = unpack(data)
        self._graph = self._model.subgraphs[0]

    @classmethod
    def read(cls, path: str | Path) -> TfliteFile:
        """Open a file written by this package; raises `ValueError` if it is not TFLite."""
        try:
            return cls(Path(path).read_bytes())
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    @property
    def metadata(self) -> dict[str, str]:
        """Metadata entries stored with the graph, by key."""
        entries = self._model.metadata or []
        return {entry.name.decode(): self._buffer(entry.buffer).decode() for entry in entries}

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        return tuple(self._name(index) for index in self._graph.inputs)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return tuple(self._name(index) for index in self._graph.outputs)

    @property
    def operators(self) -> int:
        """Number of operators."""
        return len(self._graph.operators)

    @property
    def integer_convolutions(self) -> int:
        """Number of convolutions with integer input and output."""
        kinds = [getattr(schema.BuiltinOperator, name) for name in _CONVOLUTIONS]
        integer = schema.TensorType.INT8
        return sum(
            self._model.operatorCodes[operator.opcodeIndex].builtinCode in kinds
            and all(
                self._graph.tensors[index].type == integer
                for index in (*operator.inputs[:2], *operator.outputs)
            )
            for operator in self._graph.operators
        )

    def shape(self, name: str) -> Shape:
        """Return the shape of a tensor."""
        return tuple(int(size) for size in self._tensor(name).shape)

    def input_of(self, name: str) -> str | None:
        """Return the tensor that the operator with the weights ``name.weight`` reads."""
        weights = f"{name}.weight".encode()
        for operator in self._graph.operators:
            if any(
                index >= 0 and self._graph.tensors[index].name == weights
                for index in operator.inputs
            ):
                return self._name(operator.inputs[0])
        return None

    def with_outputs(self, names: Sequence[str]) -> bytes:
        """Return the file with inner tensors as further outputs; `ValueError` if one is missing."""
        signature = self._model.signatureDefs[0]
        for name in names:
            index = self._graph.tensors.index(self._tensor(name))
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = name.encode(), index
            signature.outputs.append(entry)
            self._graph.outputs = np.append(self._graph.outputs, np.int32(index))
        count = len(self._model.buffers)
        self._model.buffers = [AlignedBuffer(self._buffer(place)) for place in range(count)]
        return pack(self._model)

    def _buffer(self, place: int) -> bytes:
        data = self._model.buffers[place].data
        return b"" if data is None else bytes(data)

    def _tensor(self, name: str) -> Any:
        found = next((t for t in self._graph.tensors if t.name == name.encode()), None)
        if found is None:
            raise ValueError(f"has no tensor {name!r}")
        return found

    def _name(self, index: int) -> str:
        return str(self._graph.tensors[index].name.decode())

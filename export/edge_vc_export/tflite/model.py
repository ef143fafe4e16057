"""Build a TFLite file: tensors, operators, one signature, packed to bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_vc_runtime.engines.litert_engine.tflite_pack import AlignedBuffer, pack

Array = NDArray[Any]
Shape = tuple[int, ...]

SIGNATURE = "serving_default"
SCHEMA_VERSION = 3

_TYPES: dict[str, int] = {
    "float32": schema.TensorType.FLOAT32,
    "int32": schema.TensorType.INT32,
    "int8": schema.TensorType.INT8,
}


@dataclass(frozen=True)
class TensorQuantParams:
    """Quantisation parameters of a tensor: values are ``scale * (integer - zero)``."""

    scale: Array
    """One value, or one for each index of ``axis``."""
    zero: int = 0
    axis: int = 0


class ModelBuilder:
    """Builds one subgraph; tensors are referred to by their index."""

    def __init__(self) -> None:
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._codes: list[tuple[str, int]] = []
        self._buffers: list[bytes] = [b""]  # the first means no data
        self._names: dict[str, int] = {}
        self._known: dict[tuple[bytes, str, Shape], int] = {}

    def tensor(
        self,
        name: str,
        shape: Shape,
        dtype: str = "float32",
        quant_params: TensorQuantParams | None = None,
    ) -> int:
        """Add a tensor that an operator or the caller fills."""
        tensor = schema.TensorT()
        tensor.name = self._unique(name).encode()
        tensor.shape = np.array(shape, np.int32)
        tensor.type = _TYPES[dtype]
        tensor.buffer = 0
        if quant_params is not None:
            tensor.quantization = _parameters(quant_params)
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def constant(
        self, name: str, array: Array, quant_params: TensorQuantParams | None = None
    ) -> int:
        """Add a constant; equal constants without quantisation share one tensor."""
        array = np.ascontiguousarray(array)
        data = array.tobytes()
        key = (data, array.dtype.name, array.shape)
        if quant_params is None and key in self._known:
            return self._known[key]
        index = self.tensor(name, array.shape, array.dtype.name, quant_params)
        self._tensors[index].buffer = len(self._buffers)
        self._buffers.append(data)
        if quant_params is None:
            self._known[key] = index
        return index

    def operator(
        self,
        code: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        *,
        version: int = 1,
        options: Any = None,
    ) -> None:
        """Add an operator by its name in the schema, after all operators it depends on.

        ``options`` is the schema's options object for this operator. An input of -1 is absent.
        """
        entry = (code, version)
        if entry not in self._codes:
            self._codes.append(entry)
        operator = schema.OperatorT()
        operator.opcodeIndex = self._codes.index(entry)
        operator.inputs = np.array(inputs, np.int32)
        operator.outputs = np.array(outputs, np.int32)
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = options
        self._operators.append(operator)

    def rename(self, index: int, name: str) -> None:
        """Give a tensor its name as an input or output of the graph."""
        holder = next((t for t in self._tensors if t.name == name.encode()), None)
        if holder is not None:
            holder.name = self._unique(name).encode()
        self._tensors[index].name = name.encode()

    def _unique(self, name: str) -> str:
        """Return ``name`` for the first tensor that requests it, then numbered variants."""
        count = self._names[name] = self._names.get(name, 0) + 1
        return name if count == 1 else f"{name}@{count}"

    def to_bytes(
        self, inputs: Sequence[int], outputs: Sequence[int], metadata: Mapping[str, str]
    ) -> bytes:
        """Return the file; the same calls give the same bytes.

        Inputs come first among the tensors, then all outputs except the first in their order, then
        the first: runtimes allocate memory in this order, so a board copies all states at once.
        """
        graph = schema.SubGraphT()
        graph.name = b"edge_vc"
        inputs, outputs = self._number_anew(inputs, outputs)
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs = np.array(inputs, np.int32)
        graph.outputs = np.array(outputs, np.int32)
        buffers = [*self._buffers]
        model = schema.ModelT()
        model.version = SCHEMA_VERSION
        model.description = b"edge-vc"
        model.operatorCodes = [_operator_code(*entry) for entry in self._codes]
        model.subgraphs = [graph]
        model.signatureDefs = [self._signature(inputs, outputs)]
        model.metadata = []
        for key, value in metadata.items():
            entry = schema.MetadataT()
            entry.name, entry.buffer = key.encode(), len(buffers)
            buffers.append(value.encode())
            model.metadata.append(entry)
        model.buffers = [AlignedBuffer(data) for data in buffers]
        return pack(model)

    def _number_anew(
        self, inputs: Sequence[int], outputs: Sequence[int]
    ) -> tuple[list[int], list[int]]:
        """Move inputs and outputs to the front of the tensors; return their new indices."""
        border = [*inputs, *outputs[1:], *outputs[:1]]
        rest = (index for index in range(len(self._tensors)) if index not in border)
        order = [*border, *rest]
        number = {-1: -1} | {old: new for new, old in enumerate(order)}
        self._tensors = [self._tensors[old] for old in order]
        for operator in self._operators:
            for side in ("inputs", "outputs"):
                old = getattr(operator, side)
                setattr(operator, side, np.array([number[index] for index in old], np.int32))
        return [number[index] for index in inputs], [number[index] for index in outputs]

    def _signature(self, inputs: Sequence[int], outputs: Sequence[int]) -> Any:
        signature = schema.SignatureDefT()
        signature.signatureKey = SIGNATURE.encode()
        signature.subgraphIndex = 0
        signature.inputs = [self._entry(index) for index in inputs]
        signature.outputs = [self._entry(index) for index in outputs]
        return signature

    def _entry(self, index: int) -> Any:
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = self._tensors[index].name, index
        return entry


def _operator_code(code: str, version: int) -> Any:
    entry = schema.OperatorCodeT()
    number = getattr(schema.BuiltinOperator, code)
    entry.builtinCode, entry.version = number, version
    # Old readers use this field; codes beyond a byte are marked by its largest value.
    entry.deprecatedBuiltinCode = min(number, 127)
    return entry


def _parameters(quant_params: TensorQuantParams) -> Any:
    parameters = schema.QuantizationParametersT()
    scale = np.atleast_1d(quant_params.scale).astype(np.float32)
    parameters.scale = scale
    parameters.zeroPoint = np.full(scale.shape, quant_params.zero, np.int64)
    parameters.quantizedDimension = quant_params.axis
    return parameters

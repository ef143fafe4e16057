"""Small real .tflite files for tests, written straight with the format's own schema."""

from __future__ import annotations

from dataclasses import replace

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge_vc_runtime.bundle.entries import ModelEntry, StateSpec
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.engines.litert_engine.engine import LitertEngine

Shape = tuple[int, ...]
_TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int8): schema.TensorType.INT8,
}


class TfliteWriter:
    """A graph of one subgraph, grown operator by operator and then turned into a file's bytes."""

    def __init__(self) -> None:
        self._buffers = [schema.BufferT()]
        self._tensors: list[schema.TensorT] = []
        self._names: dict[str, int] = {}
        self._codes: list[schema.OperatorCodeT] = []
        self._operators: list[schema.OperatorT] = []

    def value(self, name: str, shape: Shape, dtype: type = np.float32) -> str:
        """Declare a tensor that an input or an operator fills."""
        return self._add(name, shape, dtype, 0)

    def constant(self, name: str, array: np.ndarray, scales: np.ndarray | None = None) -> str:
        """Declare a tensor with its values; ``scales``, one or one per row, quantise it."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
        self._buffers.append(buffer)
        self._add(name, array.shape, array.dtype, len(self._buffers) - 1)
        if scales is not None:
            quantization = schema.QuantizationParametersT()
            quantization.scale = np.asarray(scales, np.float32)
            quantization.zeroPoint = np.zeros(len(scales), np.int64)
            self._tensors[-1].quantization = quantization
        return name

    def operator(
        self, kind: str, inputs: list[str], outputs: list[str], options: object = None
    ) -> None:
        """Append an operator by its name in the schema, with an options object of the schema."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, kind)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = 1
        self._codes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex = len(self._codes) - 1
        made.inputs = [self._names[name] for name in inputs]
        made.outputs = [self._names[name] for name in outputs]
        if options is not None:
            name = type(options).__name__.removesuffix("T")
            made.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            made.builtinOptions = options
        self._operators.append(made)

    def to_bytes(
        self, inputs: list[str], outputs: list[str], called: dict[str, str] | None = None
    ) -> bytes:
        """Return the file, with the signature ``serving_default``.

        ``called`` gives outputs another name in the signature than their tensor has.
        """
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs = [self._names[name] for name in inputs]
        graph.outputs = [self._names[name] for name in outputs]
        signature = schema.SignatureDefT()
        signature.signatureKey = "serving_default"
        signature.inputs = [self._entry(name) for name in inputs]
        signature.outputs = [self._entry(name, (called or {}).get(name)) for name in outputs]
        model = schema.ModelT()
        model.version = 3
        model.operatorCodes, model.buffers = self._codes, self._buffers
        model.subgraphs, model.signatureDefs = [graph], [signature]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    def _add(self, name: str, shape: Shape, dtype: object, buffer: int) -> str:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, list(shape), buffer
        tensor.type = _TYPES[np.dtype(dtype)]
        self._names[name] = len(self._tensors)
        self._tensors.append(tensor)
        return name

    def _entry(self, name: str, called: str | None = None) -> schema.TensorMapT:
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = called or name, self._names[name]
        return entry


def delay_tflite(hop: int, delay: int, gain: float) -> bytes:
    """The same as `runtime_bundles.delay_model`: gain * input, late, and a count of hops."""
    graph = TfliteWriter()
    audio, line = (1, 1, 1, hop), (1, 1, 1, delay)
    for name, shape in {"audio": audio, "state.line": line, "state.count": (1, 1, 1, 1)}.items():
        graph.value(name, shape)
    for name, shape in {
        "all": (1, 1, 1, hop + delay), "old": audio, "next.line": line, "audio_out": audio,
        "next.count": (1, 1, 1, 1),
    }.items():  # fmt: skip
        graph.value(name, shape)
    numbers = {"zero": [0] * 4, "hop": [0, 0, 0, hop], "audio.size": audio, "line.size": line}
    for name, array in numbers.items():
        graph.constant(name, np.array(array, np.int32))
    graph.constant("gain", np.array([gain], np.float32))
    graph.constant("one", np.array([1.0], np.float32))
    joined = schema.ConcatenationOptionsT()
    joined.axis = 3
    graph.operator("CONCATENATION", ["state.line", "audio"], ["all"], joined)
    graph.operator("SLICE", ["all", "zero", "audio.size"], ["old"], schema.SliceOptionsT())
    graph.operator("SLICE", ["all", "hop", "line.size"], ["next.line"], schema.SliceOptionsT())
    graph.operator("MUL", ["old", "gain"], ["audio_out"], schema.MulOptionsT())
    graph.operator("ADD", ["state.count", "one"], ["next.count"], schema.AddOptionsT())
    return graph.to_bytes(
        ["audio", "state.line", "state.count"], ["audio_out", "next.line", "next.count"]
    )


def leaky_tflite(hop: int, states: dict[str, Shape], leak: float, *, ordered: bool) -> bytes:
    """Every state becomes ``leak * state + 1``, but the first, ``[1, 1, 1, hop]``, plus the audio.

    The output is the first state as it becomes. ``ordered`` numbers the tensors of all states one
    after the other, and so those of all next states; LiteRT lays them into memory in that order.
    """
    graph = TfliteWriter()
    audio = graph.value("audio", (1, 1, 1, hop))
    kinds = ("state", "next", "kept")
    pairs = [(kind, name) for name in states for kind in kinds]
    for kind, name in sorted(pairs, key=lambda p: kinds.index(p[0])) if ordered else pairs:
        graph.value(f"{kind}.{name}", states[name])
    graph.value("audio_out", (1, 1, 1, hop))
    for name, number in {"leak": leak, "one": 1.0, "same": 1.0}.items():
        graph.constant(name, np.array([number], np.float32))
    for index, name in enumerate(states):
        graph.operator("MUL", [f"state.{name}", "leak"], [f"kept.{name}"], schema.MulOptionsT())
        more = "one" if index else audio
        graph.operator("ADD", [f"kept.{name}", more], [f"next.{name}"], schema.AddOptionsT())
    graph.operator(
        "MUL", [f"next.{next(iter(states))}", "same"], ["audio_out"], schema.MulOptionsT()
    )
    return graph.to_bytes(
        ["audio", *(f"state.{name}" for name in states)],
        ["audio_out", *(f"next.{name}" for name in states)],
    )


def dense_tflite(hop: int, weights: np.ndarray, scales: np.ndarray | None = None) -> bytes:
    """``audio_out = audio @ weights.T``; int8 weights with float audio are a dynamic layer.

    ``scales`` hold one number or one per row of the weights.
    """
    graph = TfliteWriter()
    graph.value("audio", (1, 1, 1, hop))
    graph.value("audio_out", (1, 1, 1, hop))
    graph.constant("weights", weights, scales)
    options = schema.FullyConnectedOptionsT()
    options.keepNumDims = True
    graph.operator("FULLY_CONNECTED", ["audio", "weights"], ["audio_out"], options)
    return graph.to_bytes(["audio"], ["audio_out"])


def open_tflite(
    data: bytes, hop: int, states: dict[str, Shape] | None = None, **changes: object
) -> LitertEngine:
    """Open a model by itself, with a manifest made for it; ``changes`` replace its fields."""
    model = ModelEntry("model.fp32.tflite", "tflite", "fp32", "nano", 1, 1.0)
    manifest = Manifest(
        name="toy", version="0.1.0", sample_rate=16000, hop=hop, delay=0,
        states=tuple(StateSpec(*state) for state in (states or {}).items()), models=(model,),
        default=model.file, files={}, licence="CC0-1.0", consent="Nobody's voice.", runtimes={},
    )  # fmt: skip
    return LitertEngine(replace(manifest, **changes), model, data, 1)

"""Time per kind of operator, each run separately: LiteRT's Python API has no profiler.

Every operator is made a separate model and runs with the same kernels, with its data in the cache.
The remaining time of a hop is reported as `BETWEEN`: cache misses and dispatch.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from edge_vc_runtime.engines.litert_engine.library import (
    ANCESTOR,
    Library,
    load_library,
    quiet_stderr,
)
from edge_vc_runtime.engines.op_time import OpTime

BETWEEN = "between operators"
_ROUNDS, _RUNS = 7, 20


def op_times(data: bytes, threads: int) -> tuple[OpTime, ...] | None:
    """Run every operator of a checked file and return the time per kind, most expensive first.

    Return None with tflite-runtime, which has no schema for splitting a file.
    """
    library = load_library()
    if library.name == ANCESTOR:
        return None
    pieces = dict(enumerate(_pieces(data)))
    with quiet_stderr():
        interpreters = {key: _open(library, piece, threads) for key, (_, piece) in pieces.items()}
        whole = _open(library, data, threads)
    took = _measure([*interpreters.values(), whole])
    idle = min(took)
    spent: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    for (kind, _), each in zip(pieces.values(), took, strict=False):
        spent[kind] += each - idle
        counts[kind] += 1
    total = max(took[-1], sum(spent.values()))
    spent[BETWEEN] = total - sum(spent.values())
    return tuple(
        OpTime(kind, counts[kind], spent[kind], spent[kind] / total)
        for kind in sorted(spent, key=lambda kind: -spent[kind])
    )


def _measure(interpreters: list[Any]) -> list[float]:
    """Return microseconds per run of each: the median over rounds, interleaved."""
    took = np.zeros((_ROUNDS, len(interpreters)))
    for row in took:
        for place, interpreter in enumerate(interpreters):
            invoke = interpreter.invoke
            invoke()
            begin = time.perf_counter_ns()
            for _ in range(_RUNS):
                invoke()
            row[place] = (time.perf_counter_ns() - begin) / _RUNS / 1e3
    return [float(each) for each in np.median(took, axis=0)]


def _open(library: Library, data: bytes, threads: int) -> Any:
    interpreter = library.interpreter(model_content=data, num_threads=threads)
    interpreter.allocate_tensors()
    generator = np.random.default_rng(0)
    for each in interpreter.get_input_details():
        noise = generator.normal(0.0, 0.1, each["shape"])
        interpreter.set_tensor(each["index"], noise.astype(each["dtype"]))
    return interpreter


def _pieces(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the kind of every operator, and a model file with only that operator."""
    from ai_edge_litert import schema_py_generated as schema

    from edge_vc_runtime.engines.litert_engine.tflite_pack import pack, unpack

    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
    model = unpack(data)
    for operator in model.subgraphs[0].operators:
        code = model.operatorCodes[operator.opcodeIndex]
        yield names[code.builtinCode], pack(_alone(schema, model, operator, code))


def _alone(schema: Any, model: Any, operator: Any, code: Any) -> Any:
    """Return a model of one operator: constants are kept, everything else it reads is an input."""
    from edge_vc_runtime.engines.litert_engine.tflite_pack import AlignedBuffer

    numbers = dict.fromkeys(int(n) for n in (*operator.inputs, *operator.outputs) if n >= 0)
    placed = {number: place for place, number in enumerate(numbers)}
    buffers, tensors, inputs = [AlignedBuffer(b"")], [], []
    for number, place in placed.items():
        old, tensor = model.subgraphs[0].tensors[number], schema.TensorT()
        tensor.name, tensor.shape, tensor.type = old.name, old.shape, old.type
        tensor.quantization = old.quantization
        content = model.buffers[old.buffer].data
        tensor.buffer = 0 if content is None else len(buffers)
        if content is not None:
            buffers.append(AlignedBuffer(bytes(content)))
        elif number in operator.inputs:
            inputs.append(place)
        tensors.append(tensor)
    graph, single, alone = schema.SubGraphT(), schema.OperatorT(), schema.ModelT()
    graph.tensors, graph.operators = tensors, [single]
    single.inputs = np.array([placed.get(int(n), -1) for n in operator.inputs], np.int32)
    single.outputs = np.array([placed[int(n)] for n in operator.outputs], np.int32)
    single.builtinOptionsType = operator.builtinOptionsType
    single.builtinOptions = operator.builtinOptions
    graph.inputs, graph.outputs = np.array(inputs, np.int32), single.outputs
    alone.version, alone.operatorCodes = model.version, [code]
    alone.subgraphs, alone.buffers = [graph], buffers
    return alone

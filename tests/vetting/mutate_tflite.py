"""A process of its own: changes a `.tflite` file part by part; what passes the checks is run."""

from __future__ import annotations

import collections
import json
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge_vc_runtime.engines.litert_engine.library import load_library
from edge_vc_runtime.engines.litert_engine.tflite_pack import pack, unpack
from edge_vc_runtime.engines.litert_engine.tflite_reader import read_graph

CODES = [code for name, code in vars(schema.BuiltinOperator).items() if name.isupper()]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return the file with one to three parts of its graph changed."""
    model = unpack(data)
    graph = model.subgraphs[0]
    for _ in range(chance.randint(1, 3)):
        kind, operator = chance.randrange(7), chance.choice(graph.operators)
        tensor = chance.choice(graph.tensors)
        if kind == 0:
            chance.choice(model.operatorCodes).builtinCode = chance.choice(CODES)
        elif kind == 1:
            operator.opcodeIndex = chance.randrange(len(model.operatorCodes))
        elif kind == 2:
            inputs = list(operator.inputs)
            inputs[chance.randrange(len(inputs))] = chance.randrange(-1, len(graph.tensors))
            operator.inputs = inputs
        elif kind == 3:
            operator.inputs = list(operator.inputs)[: chance.randint(1, 3)]
        elif kind == 4:
            tensor.type = chance.choice((0, 1, 2, 3, 4, 6, 7, 9))
        elif kind == 5:
            _spoil_shape(tensor, chance)
        else:
            _spoil_numbers(model, tensor, operator, chance)
    for code in model.operatorCodes:
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    return pack(model)


def _spoil_shape(tensor: Any, chance: random.Random) -> None:
    shape = list(tensor.shape) if tensor.shape is not None else []
    if shape:
        shape[chance.randrange(len(shape))] = chance.choice((1, 2, 3, 5, 16, 1000, 65536))
    tensor.shape = shape


def _spoil_numbers(model: Any, tensor: Any, operator: Any, chance: random.Random) -> None:
    """Change a scale, an option or a byte of a small constant."""
    quantization, options = tensor.quantization, operator.builtinOptions
    if quantization is not None and quantization.scale is not None and len(quantization.scale):
        scales = np.array(quantization.scale, np.float32)
        scales[chance.randrange(len(scales))] = chance.choice((0, -1, 1e-38, 1e38, 1e-6, 1e6))
        quantization.scale = scales
    numbers = list(vars(options)) if options else []
    if numbers:
        name = chance.choice(numbers)
        if isinstance(getattr(options, name), int):
            setattr(options, name, chance.choice((0, 1, 2, -1, 3, 100, 127)))
    data = model.buffers[tensor.buffer].data
    if data is not None and len(data) < 200:
        changed = np.array(data, np.uint8)
        changed[chance.randrange(len(changed))] = chance.choice((0, 1, 127, 255))
        model.buffers[tensor.buffer].data = changed


def main() -> None:
    """Print how many were refused, ran, were refused by the library, or crashed it."""
    data, count = Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
    interpreter = load_library().interpreter
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    found: collections.Counter[str] = collections.Counter()
    for seed in range(count):
        try:
            wrong = mutated(data, random.Random(seed))
        except Exception:  # the schema's own packing refuses it
            continue
        try:
            read_graph(wrong)
        except ValueError:
            found["refused"] += 1
            continue
        if not os.fork():
            signal.alarm(30)
            try:
                opened = interpreter(model_content=wrong, num_threads=1)
                opened.allocate_tensors()
                opened.invoke()
            except (RuntimeError, ValueError):
                os._exit(1)
            except BaseException:
                os._exit(3)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.wait()[1])
        found[{0: "ran", 1: "refused by the library"}.get(code, "crashed")] += 1
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()

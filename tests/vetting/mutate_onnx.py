"""A process of its own: changes an `.onnx` file part by part; what passes the checks is run.

Each in a child with the limits of a trial: `ran`, `refused by the library`, `stopped` by a limit,
or `crashed`.
"""

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
import onnx
import onnxruntime

from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.engines.onnx_engine.engine import open_session, session_options
from edge_vc_runtime.engines.onnx_engine.onnx_operators import OPERATORS
from edge_vc_runtime.engines.onnx_engine.onnx_reader import read_onnx
from edge_vc_runtime.vetting.limits import apply_limits

KINDS = (1, 2, 3, 6, 7, 9, 10, 11, 16)
NUMBERS = (-1, 0, 1, 2, 3, 7, 100, 1 << 16, 1 << 31, -(1 << 31))
TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int8)": np.int8}
STOPPED = (signal.SIGPROF, signal.SIGXCPU, signal.SIGKILL)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return the file with one to three parts of its graph changed."""
    model = onnx.load_from_string(data)
    graph = model.graph
    for _ in range(chance.randint(1, 3)):
        node, kind = chance.choice(graph.node), chance.randrange(9)
        names = [name for each in graph.node for name in (*each.input, *each.output)]
        if kind == 0:
            node.op_type = chance.choice(sorted(OPERATORS))
        elif kind == 1 and node.input:
            node.input[chance.randrange(len(node.input))] = chance.choice([*names, ""])
        elif kind == 2:
            node.output[chance.randrange(len(node.output))] = chance.choice(names)
        elif kind == 3 and node.input:
            del node.input[chance.randrange(len(node.input)) :]
        elif kind == 4 and node.attribute:
            _spoil_attribute(chance.choice(node.attribute), chance)
        elif kind == 5:
            _spoil_border(chance.choice([*graph.input, *graph.output]), chance)
        elif graph.initializer:
            _spoil_constant(chance.choice(graph.initializer), kind, chance)
    return bytes(model.SerializeToString())


def _spoil_attribute(attribute: Any, chance: random.Random) -> None:
    if attribute.ints:
        attribute.ints[chance.randrange(len(attribute.ints))] = chance.choice(NUMBERS)
        return
    attribute.i, attribute.f = chance.choice(NUMBERS), chance.choice((0.0, -1.0, 1e38))


def _spoil_border(value: Any, chance: random.Random) -> None:
    form = value.type.tensor_type
    if chance.random() < 0.5 and form.shape.dim:
        chance.choice(form.shape.dim).dim_value = chance.choice((1, 2, 3, 16, 1000, 65_536))
    else:
        form.elem_type = chance.choice(KINDS)


def _spoil_constant(tensor: Any, kind: int, chance: random.Random) -> None:
    """Change a size, the type or a byte."""
    if kind == 6 and tensor.dims:
        tensor.dims[chance.randrange(len(tensor.dims))] = chance.choice((0, 1, 2, 3, 64, 1000))
    elif kind == 7:
        tensor.data_type = chance.choice(KINDS)
    elif tensor.raw_data:
        spoiled = bytearray(tensor.raw_data)
        spoiled[chance.randrange(len(spoiled))] = chance.choice((0, 1, 127, 128, 255))
        tensor.raw_data = bytes(spoiled)
    elif tensor.int64_data:
        place = chance.randrange(len(tensor.int64_data))
        tensor.int64_data[place] = chance.choice(NUMBERS)


def run(data: bytes) -> None:
    """Open a graph with the engine's options and run it twice."""
    session = open_session("model.onnx", data, session_options(1))
    random_numbers = np.random.default_rng(0)
    given = {
        port.name: random_numbers.uniform(-1, 1, port.shape).astype(TYPES[port.type])
        for port in session.get_inputs()
    }
    for _ in range(2):
        session.run(None, given)


def child(data: bytes) -> int:
    """Run a graph in this process, which then ends, with the limits of a trial."""
    apply_limits(len(data), 2.0)
    try:
        run(data)
    except (EngineError, ValueError, KeyError, TypeError):
        return 1
    except MemoryError:
        return 2
    except Exception:  # each of ONNX Runtime's status codes is a class of its own
        return 1
    return 0


def main() -> None:
    """Print how many were refused, ran, were refused by the library, stopped, or crashed it."""
    data, count = Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
    onnxruntime.set_default_logger_severity(4)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    found: collections.Counter[str] = collections.Counter()
    for seed in range(count):
        try:
            wrong = mutated(data, random.Random(seed))
        except Exception:  # protobuf refuses it
            continue
        try:
            read_onnx(wrong)
        except ValueError:
            found["refused"] += 1
            continue
        if not os.fork():
            os._exit(child(wrong))
        code = os.waitstatus_to_exitcode(os.wait()[1])
        kind = {0: "ran", 1: "refused by the library", 2: "stopped"}.get(code, "crashed")
        kind = "stopped" if -code in STOPPED else kind
        found[kind] += 1
        if kind == "crashed":
            found[f"crashed, seed {seed}, code {code}"] += 1
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()

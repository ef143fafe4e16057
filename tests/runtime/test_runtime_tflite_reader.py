"""A file from anybody is read without leaving it, and refused before a library stumbles over it."""

from __future__ import annotations

import contextlib
import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st
from runtime_tflite import TfliteWriter, delay_tflite, dense_tflite, leaky_tflite

from edge_vc_runtime.engines.litert_engine.tflite_graph import TfliteError
from edge_vc_runtime.engines.litert_engine.tflite_operators import OPERATORS
from edge_vc_runtime.engines.litert_engine.tflite_reader import read_graph

DELAY = delay_tflite(16, 8, 1.0)


def layered() -> bytes:
    """A graph with most kinds of layers that a student has."""
    random = np.random.default_rng(0)
    graph = TfliteWriter()
    shapes = {
        "audio": (1, 1, 1, 16), "square": (1, 4, 4, 1), "conv": (1, 4, 4, 8), "deep": (1, 4, 4, 8),
        "pooled": (1, 2, 2, 8), "mean": (1, 8), "dense": (1, 16), "audio_out": (1, 1, 1, 16),
    }  # fmt: skip
    for name, shape in shapes.items():
        graph.value(name, shape)
    weights = {"conv.w": (8, 3, 3, 1), "conv.b": (8,), "deep.w": (1, 3, 3, 8), "dense.w": (16, 8)}
    for name, shape in weights.items():
        graph.constant(name, random.normal(size=shape).astype(np.float32))
    for name, numbers in {"4x4": [1, 4, 4, 1], "flat": [1, 1, 1, 16], "axes": [1, 2]}.items():
        graph.constant(name, np.array(numbers, np.int32))
    square, conv, deep = schema.ReshapeOptionsT(), schema.Conv2DOptionsT(), None
    square.newShape = [1, 4, 4, 1]
    conv.strideW = conv.strideH = 1
    deep = schema.DepthwiseConv2DOptionsT()
    deep.strideW = deep.strideH = deep.depthMultiplier = 1
    pool, flat = schema.Pool2DOptionsT(), schema.ReshapeOptionsT()
    pool.padding, pool.strideW, pool.strideH, pool.filterWidth, pool.filterHeight = 1, 2, 2, 2, 2
    flat.newShape = [1, 1, 1, 16]
    graph.operator("RESHAPE", ["audio", "4x4"], ["square"], square)
    graph.operator("CONV_2D", ["square", "conv.w", "conv.b"], ["conv"], conv)
    graph.operator("DEPTHWISE_CONV_2D", ["conv", "deep.w", "conv.b"], ["deep"], deep)
    graph.operator("AVERAGE_POOL_2D", ["deep"], ["pooled"], pool)
    graph.operator("MEAN", ["pooled", "axes"], ["mean"], schema.ReducerOptionsT())
    graph.operator(
        "FULLY_CONNECTED", ["mean", "dense.w"], ["dense"], schema.FullyConnectedOptionsT()
    )
    graph.operator("RESHAPE", ["dense", "flat"], ["audio_out"], flat)
    return graph.to_bytes(["audio"], ["audio_out"])


def test_what_is_in_a_file() -> None:
    graph = read_graph(DELAY)
    assert list(graph.inputs) == ["audio", "state.line", "state.count"]
    assert list(graph.outputs) == ["audio_out", "next.line", "next.count"]
    line = graph.tensors[graph.outputs["next.line"]]
    assert (line.name, line.shape, line.constant) == ("next.line", (1, 1, 1, 8), False)
    kinds = [operator.kind.name for operator in graph.operators]
    assert kinds == ["CONCATENATION", "SLICE", "SLICE", "MUL", "ADD"]
    assert graph.dynamic_layer() is None
    assert len(read_graph(layered()).operators) == 7


def test_operators_are_called_as_in_the_schema() -> None:
    for code, kind in OPERATORS.items():
        assert getattr(schema.BuiltinOperator, kind.name) == code


@pytest.mark.parametrize(
    ("weights", "scales", "layer"),
    [
        (np.eye(8, dtype=np.float32), None, None),
        (np.eye(8, dtype=np.int8), [0.1], "audio_out"),
        (np.eye(8, dtype=np.int8), np.full(8, 0.1), "audio_out"),
    ],
    ids=["float", "per tensor", "per row"],
)
def test_dynamic_layers(weights: np.ndarray, scales: np.ndarray | None, layer: str | None) -> None:
    assert read_graph(dense_tflite(8, weights, scales)).dynamic_layer() == layer


class Oddity(TfliteWriter):
    """A graph of one addition that a test then spoils."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("audio", "audio_out"):
            self.value(name, (1, 1, 1, 8))
        self.constant("one", np.ones(1, np.float32))

    def finish(self, kind: str = "ADD", inputs: tuple[str, ...] = ("audio", "one")) -> bytes:
        self.operator(kind, list(inputs), ["audio_out"])
        return self.to_bytes(["audio"], ["audio_out"])


def unknown_operator() -> bytes:
    return Oddity().finish("WHERE")


def custom_operator() -> bytes:
    graph = Oddity()
    graph.operator("CUSTOM", ["audio"], ["audio_out"])
    graph._codes[-1].customCode = "Burn\nDown"
    return graph.to_bytes(["audio"], ["audio_out"])


def input_size() -> bytes:
    graph = Oddity()
    graph.value("size", (4,), np.int32)
    graph.operator("CAST", ["audio"], ["size"])
    return graph.finish("RESHAPE", ("audio", "size"))


def beyond_the_end() -> bytes:
    graph = Oddity()
    graph.constant("begin", np.array([0, 0, 0, 1], np.int32))
    graph.constant("size", np.array([1, 1, 1, 8], np.int32))
    return graph.finish("SLICE", ("audio", "begin", "size"))


def made_by_nobody() -> bytes:
    graph = Oddity()
    graph.value("ghost", (1, 1, 1, 8))
    return graph.finish("ADD", ("audio", "ghost"))


def written_twice() -> bytes:
    graph = Oddity()
    graph.operator("EXP", ["audio"], ["audio_out"])
    return graph.finish()


def constant_input() -> bytes:
    graph = Oddity()
    graph.operator("ADD", ["audio", "one"], ["audio_out"])
    return graph.to_bytes(["audio", "one"], ["audio_out"])


def too_large() -> bytes:
    graph = Oddity()
    for index in range(3):
        graph.value(f"huge{index}", (1 << 25,))
    return graph.finish()


def no_fixed_size() -> bytes:
    graph = Oddity()
    graph._tensors[0].shapeSignature = [1, 1, 1, -1]
    return graph.finish()


def variable() -> bytes:
    graph = Oddity()
    graph._tensors[0].isVariable = True
    return graph.finish()


def short_weights() -> bytes:
    graph = Oddity()
    graph._tensors[-1].shape = [1, 8]
    return graph.finish()


def missing_tensor() -> bytes:
    graph = Oddity()
    graph._names["ghost"] = 99
    return graph.finish("ADD", ("audio", "ghost"))


@pytest.mark.parametrize(
    ("make", "fact"),
    [
        (unknown_operator, "an operator (number 109) that this runtime does not take"),
        (custom_operator, r"an operator ('Burn\nDown', number 32)"),
        (input_size, "the size of 'audio_out' (RESHAPE) depends on the input"),
        (beyond_the_end, "'audio' is cut from 1 for 8 of 8"),
        (made_by_nobody, "'ghost' is read before it is written"),
        (written_twice, "'audio_out' is written twice"),
        (constant_input, "one is an input and a constant"),
        (too_large, "needs more than 256 MiB for its tensors"),
        (no_fixed_size, "tensor 'audio' has the shape [1, 1, 1, 8], not a fixed one"),
        (variable, "tensor 'audio' is a variable"),
        (short_weights, "tensor 'one' has 4 bytes for [1, 8]"),
        (missing_tensor, "refers to a tensor that is not there"),
    ],
    ids=lambda value: value.__name__.replace("_", " ") if callable(value) else "",
)
def test_oddities(make: object, fact: str) -> None:
    with pytest.raises(TfliteError) as error:
        read_graph(make())  # type: ignore[operator]
    assert fact in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("data", [DELAY, layered()], ids=["delay", "layered"])
def test_every_beginning_is_refused(data: bytes) -> None:
    for end in range(len(data)):
        with pytest.raises(TfliteError):
            read_graph(data[:end])


@given(data=st.binary(max_size=300))
def test_garbage_is_refused(data: bytes) -> None:
    for whole in (data, struct.pack("<I", 16) + b"TFL3" + data):
        with pytest.raises(TfliteError):
            read_graph(whole)


@given(place=st.integers(0, len(DELAY) // 4 - 1), value=st.integers(0, 2**32 - 1))
def test_one_wrong_word_is_read_or_refused(place: int, value: int) -> None:
    data = bytearray(DELAY)
    struct.pack_into("<I", data, 4 * place, value)
    with contextlib.suppress(TfliteError):
        assert read_graph(bytes(data)).outputs


MUTATE = """
import collections, json, os, pathlib, random, signal, sys
from edge_vc_runtime.engines.litert_engine.library import load_library
from edge_vc_runtime.engines.litert_engine.tflite_reader import read_graph

data, count = pathlib.Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
interpreter = load_library().interpreter
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
found = collections.Counter()
for seed in range(count):
    chance, wrong = random.Random(seed), bytearray(data)
    for _ in range(chance.randint(1, 4)):
        size = chance.choice((1, 4))
        place = chance.randrange(0, len(wrong) - 4, size)
        odd = chance.choice((0, 1, 127, 255, chance.randrange(256)))
        wrong[place : place + size] = bytes([odd] * size)
    if not os.fork():
        signal.alarm(20)
        try:
            read_graph(bytes(wrong))
            opened = interpreter(model_content=bytes(wrong), num_threads=1)
            opened.allocate_tensors()
            opened.invoke()
        except (RuntimeError, ValueError):
            os._exit(1)
        except BaseException:
            os._exit(3)
        os._exit(0)
    status = os.wait()[1]
    name = {0: "ran", 1: "refused"}.get(os.waitstatus_to_exitcode(status), "crashed")
    found[name] += 1
print(json.dumps(found))
"""


def mutated(python: Path | str, file: Path, count: int) -> dict[str, int]:
    """Feed ``count`` spoilt copies of a model to the reader, then to the library, and count."""
    command = [str(python), "-W", "ignore", "-c", MUTATE, str(file), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize(
    "data",
    [DELAY, layered(), leaky_tflite(16, {"a": (1, 1, 1, 16)}, 0.9, ordered=True)],
    ids=["delay", "layered", "leaky"],
)
def test_what_passes_does_not_crash_the_library(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(data)
    found = mutated(sys.executable, file, 150)
    assert "crashed" not in found
    assert found["ran"] > 5
    assert found["refused"] > 50

"""Graphs whose parts were changed: what passes the checks does not crash the library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from onnx_zoo import IMAGE, zoo_onnx
from runtime_bundles import delay_model, listed, write_bundle
from runtime_tflite import delay_tflite
from tflite_zoo import zoo_tflite

from edge_vc.assets import bundle_path
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.engines.litert_engine.library import load_library
from edge_vc_runtime.engines.litert_engine.tflite_graph import TfliteError
from edge_vc_runtime.engines.litert_engine.tflite_pack import pack, unpack
from edge_vc_runtime.engines.litert_engine.tflite_reader import read_graph
from edge_vc_runtime.engines.onnx_engine.engine import open_session, session_options
from edge_vc_runtime.engines.onnx_engine.onnx_reader import OnnxError, read_onnx
from edge_vc_runtime.session import Session


def channels() -> int:
    """Channels of the shipped student's trunk."""
    data = read_bundle(bundle_path("kathleen-nano")).read("model.fp32.onnx")
    constants = onnx.load_from_string(data).graph.initializer
    return int(next(each.dims[0] for each in constants if each.name == "trunk.0.conv.weight"))


CHANNELS = channels()


def counted(file: Path, count: int) -> dict[str, int]:
    script = Path(__file__).with_name(f"mutate_{file.suffix[1:]}.py")
    words = [sys.executable, str(script), str(file), str(count)]
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


def check(found: dict[str, int], least: int, most_crashed: int = 0) -> None:
    assert found.get("crashed", 0) <= most_crashed, found
    assert found["refused"] > least
    assert found["ran"] > least


def test_changed_graphs_do_not_crash_the_library(tmp_path: Path) -> None:
    file = tmp_path / "delay.tflite"
    file.write_bytes(delay_tflite(16, 8, 1.0))
    check(counted(file, 150), 10)


def test_changed_onnx_graphs_do_not_crash_the_library(tmp_path: Path) -> None:
    file = tmp_path / "delay.onnx"
    file.write_bytes(delay_model(16, 8, 1.0))
    check(counted(file, 150), 10)


@pytest.mark.parametrize("dtype", [np.float32, np.int8])
def test_the_library_runs_the_zoo(dtype: type) -> None:
    """The operators whose changes are tried below are admitted, and the library takes them."""
    data = zoo_tflite(dtype)
    assert len({operator.kind.name for operator in read_graph(data).operators}) > 40
    opened = load_library().interpreter(model_content=data, num_threads=1)
    opened.allocate_tensors()
    opened.invoke()


def test_onnx_runtime_runs_the_zoo() -> None:
    """Its outputs are as onnx infers them: the shapes that the reader computes agree with that."""
    data = zoo_onnx()
    assert len(set(read_onnx(data).operators)) > 65
    audio = np.random.default_rng(0).normal(size=IMAGE).astype(np.float32)
    outputs = open_session("zoo.onnx", data, session_options(1)).run(None, {"audio": audio})
    shapes = [shape for shape, _ in read_onnx(data).outputs.values()]
    assert [output.shape for output in outputs] == shapes


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_changed_onnx_operators_do_not_crash_the_library(tmp_path: Path) -> None:
    file = tmp_path / "zoo.onnx"
    file.write_bytes(zoo_onnx())
    check(counted(file, 3000), 100)


ONNX_FAULTS = {
    "Concat": ("axis", 4, "has the axis 4, its input has 4"),
    "Transpose": ("perm", [0, 1, 1, 2], "orders 4 axes as [0, 1, 1, 2]"),
    "Split": ("axis", 2, "cuts 6 items into [1, 3]"),
    "Gather": ("axis", -5, "has the axis -5, its input has 4"),
    "ReduceMax": ("axes", [9], "has the axis 9, its input has 4"),
    "AveragePool": ("kernel_shape", [3, 100], "has a window that reaches over 100 items"),
    "LpPool": ("kernel_shape", [3], "has 2 strides for a window of 1 axes"),
    "ConvTranspose": ("pads", [99, 0, 0, 1], "has a window that reaches over"),
    "Gemm": ("transB", 0, "multiplies"),
    "GRU": ("hidden_size", 6, "has 5 rows of weights for a hidden size of another number"),
}


@pytest.mark.parametrize("kind", ONNX_FAULTS)
def test_an_onnx_attribute_that_contradicts_its_inputs_is_refused(kind: str) -> None:
    name, value, fact = ONNX_FAULTS[kind]
    model = onnx.load_from_string(zoo_onnx())
    node = next(each for each in model.graph.node if each.op_type == kind)
    attribute = next(each for each in node.attribute if each.name == name)
    attribute.CopyFrom(onnx.helper.make_attribute(name, value))
    with pytest.raises(OnnxError) as caught:
        read_onnx(model.SerializeToString())
    assert str(caught.value).startswith(f"an operator {kind} {fact}")


@pytest.mark.parametrize(
    ("kind", "place", "shape", "fact"),
    [
        ("Add", 1, (1, 4, 6, 7), "has inputs of the shapes"),
        ("MatMul", 1, (7, 5), "multiplies [1, 4, 6, 8] by [7, 5]"),
        ("Conv", 1, (6, 3, 3, 2), "has weights for 6 channels, its input has 4"),
        ("LSTM", 2, (1, 20, 6), "has weights of"),
        ("GRU", 3, (1, 29), "has [1, 29] where [1, 30] belongs"),
    ],
)
def test_an_onnx_constant_of_another_shape_is_refused(
    kind: str, place: int, shape: tuple[int, ...], fact: str
) -> None:
    model = onnx.load_from_string(zoo_onnx())
    node = next(each for each in model.graph.node if each.op_type == kind)
    spoiled = np.zeros(shape, np.float32)
    model.graph.initializer.append(onnx.numpy_helper.from_array(spoiled, "spoiled"))
    node.input[place] = "spoiled"
    with pytest.raises(OnnxError) as caught:
        read_onnx(model.SerializeToString())
    assert str(caught.value).startswith(f"an operator {kind} {fact}")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("dtype", [np.float32, np.int8])
def test_changed_operators_do_not_crash_the_library(tmp_path: Path, dtype: type) -> None:
    file = tmp_path / "zoo.tflite"
    file.write_bytes(zoo_tflite(dtype))
    check(counted(file, 2500), 100)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("form", ["tflite", "onnx"])
@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_changed_students_do_not_crash_the_library(
    tmp_path: Path, precision: str, form: str
) -> None:
    """ONNX Runtime has assertions that the checks know nothing of: those are for the trial."""
    file = tmp_path / f"student.{form}"
    file.write_bytes(read_bundle(bundle_path("kathleen-nano")).read(f"model.{precision}.{form}"))
    check(counted(file, 2000), 100, 2 if form == "onnx" else 0)


@pytest.mark.parametrize("precision", ["int8", "fp32"])
@pytest.mark.parametrize(
    ("name", "numbers", "fact"),
    [
        ("kernel_shape", [1, 100], "has the window [1, 100], its weights have [1, 5]"),
        ("kernel_shape", [5], "has the window [5], its weights have [1, 5]"),
        ("dilations", [1], "has 1 dilations for a window of 2 axes"),
        ("pads", [0, 0], "has 2 pads for a window of 2 axes"),
        ("strides", [1, 1, 1], "has 3 strides for a window of 2 axes"),
        ("group", 7, f"has {CHANNELS} rows of weights in 7 groups"),
    ],
)
def test_a_convolution_that_contradicts_its_weights_is_refused(
    precision: str, name: str, numbers: list[int] | int, fact: str
) -> None:
    """Found by changing students: ONNX Runtime 1.31 aborts where its window is not the weights'."""
    data = read_bundle(bundle_path("kathleen-nano")).read(f"model.{precision}.onnx")
    model = onnx.load_from_string(data)
    conv = next(node for node in model.graph.node if node.name == "trunk.2.inner.0.conv")
    attribute = next(each for each in conv.attribute if each.name == name)
    attribute.CopyFrom(onnx.helper.make_attribute(name, numbers))
    with pytest.raises(OnnxError) as caught:
        read_onnx(model.SerializeToString())
    assert str(caught.value) == f"an operator Conv {fact}"


@pytest.mark.parametrize("precision", ["int8", "fp32"])
@pytest.mark.parametrize(
    ("name", "numbers", "fact"),
    [
        (
            "dilations",
            [1, 9],
            "has a window that reaches over 37 items, its input has 33 and 0 pad",
        ),
        ("dilations", [1, 65_536], "has a window that reaches over 262145 items, its input has 33"),
        ("dilations", [2, 8], None),  # a window of one item reaches nowhere
        ("pads", [0, -1, 0, 0], "has the pads [0, -1, 0, 0], none may be negative"),
        ("strides", [1, 2], None),
        ("group", 48, f"has weights for 48 channels, its input has {CHANNELS}"),
    ],
)
def test_an_onnx_window_lies_within_its_input(
    precision: str, name: str, numbers: list[int] | int, fact: str | None
) -> None:
    """Found by changing students: a window beyond its input aborts ONNX Runtime 1.31."""
    model = onnx.load_from_string(
        read_bundle(bundle_path("kathleen-nano")).read(f"model.{precision}.onnx")
    )
    conv = next(node for node in model.graph.node if node.name == "trunk.6.inner.0.conv")
    attribute = next(each for each in conv.attribute if each.name == name)
    attribute.CopyFrom(onnx.helper.make_attribute(name, numbers))
    if fact is None:
        read_onnx(model.SerializeToString())
        return
    with pytest.raises(OnnxError) as caught:
        read_onnx(model.SerializeToString())
    assert str(caught.value).startswith(f"an operator Conv {fact}")


def test_a_graph_that_would_abort_the_library_never_reaches_it(state: Path, tmp_path: Path) -> None:
    good = read_bundle(bundle_path("kathleen-nano"))
    files = {name: good.read(name) for name in good.manifest.files}
    model = onnx.load_from_string(files["model.int8.onnx"])
    conv = next(node for node in model.graph.node if node.name == "trunk.2.inner.0.conv")
    next(each for each in conv.attribute if each.name == "dilations").ints[1] = 100
    files["model.int8.onnx"] = model.SerializeToString()
    path = write_bundle(tmp_path / "aborts.evc", listed(good.manifest, files), files)
    with pytest.raises(BundleError, match="reaches over 401 items") as caught:
        Session.open(path, "onnx", precision="int8")
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()


class Student:
    """A graph of which a test changes one part: a shipped student's or the zoo's."""

    def __init__(self, precision: str) -> None:
        name = f"model.{precision}.tflite"
        zoo = precision == "zoo"
        self.model = unpack(
            zoo_tflite() if zoo else read_bundle(bundle_path("kathleen-nano")).read(name)
        )
        self.graph = self.model.subgraphs[0]

    def find(self, kind: str, last: bool = False) -> Any:
        """Return the first or last operator of a kind, given by its name in the schema."""
        code = getattr(schema.BuiltinOperator, kind)
        codes = [each.builtinCode for each in self.model.operatorCodes]
        found = [each for each in self.graph.operators if codes[each.opcodeIndex] == code]
        return found[-1 if last else 0]

    def tensor(self, index: int) -> Any:
        """Return a tensor by its number."""
        return self.graph.tensors[index]

    def number(self, name: str) -> int:
        """Return the number of a tensor by its name."""
        return [tensor.name for tensor in self.graph.tensors].index(name.encode())


def without_bias(student: Student) -> None:
    operator = student.find("DEPTHWISE_CONV_2D", last=True)
    operator.inputs = list(operator.inputs)[:2]


def absent_bias(student: Student) -> None:
    operator = student.find("DEPTHWISE_CONV_2D")
    operator.inputs = [*list(operator.inputs)[:2], -1]


def convolved_without_bias(student: Student) -> None:
    operator = student.find("CONV_2D")
    operator.inputs = list(operator.inputs)[:2]


def reshaped_by_a_bias(student: Student) -> None:
    bias = student.find("DEPTHWISE_CONV_2D").inputs[2]
    operator = student.find("RESHAPE")
    operator.inputs = [operator.inputs[0], bias]


def reshaped_by_another_size(student: Student) -> None:
    operator = student.find("RESHAPE")
    made = student.tensor(operator.outputs[0])
    size = student.tensor(operator.inputs[1])
    turned = np.array(made.shape, np.int32)[::-1]
    student.model.buffers[size.buffer].data = np.frombuffer(turned.tobytes(), np.uint8)


def option(kind: str, name: str, value: int) -> Callable[[Student], None]:
    def spoil(student: Student) -> None:
        setattr(student.find(kind, last=True).builtinOptions, name, value)

    spoil.__name__ = f"{kind} {name} {value}"
    return spoil


def options_of_another_kind(student: Student) -> None:
    operator = student.find("CONCATENATION")
    operator.builtinOptionsType = schema.BuiltinOptions.AddOptions
    operator.builtinOptions = schema.AddOptionsT()


def broken_mean(student: Student) -> None:
    student.find("MEAN").builtinOptions.keepDims = False


TFLITE_FAULTS = [
    (without_bias, "an operator DEPTHWISE_CONV_2D has 2 inputs and 1 outputs, 3 and up to 1"),
    (absent_bias, "an operator DEPTHWISE_CONV_2D lacks an input that it has to have"),
    (convolved_without_bias, "an operator CONV_2D has 2 inputs and 1 outputs, 3 and up to 1"),
    (reshaped_by_a_bias, "an operator RESHAPE"),
    (reshaped_by_another_size, "an operator RESHAPE makes"),
    (option("DEPTHWISE_CONV_2D", "dilationWFactor", 9), "reaches beyond its input"),
    (option("DEPTHWISE_CONV_2D", "dilationWFactor", 7), "an operator DEPTHWISE_CONV_2D makes"),
    (option("DEPTHWISE_CONV_2D", "depthMultiplier", 2), "contradicts its options"),
    (option("DEPTHWISE_CONV_2D", "padding", 0), "an operator DEPTHWISE_CONV_2D makes"),
    (option("CONV_2D", "fusedActivationFunction", 4), "the option activation of an operator CONV"),
    (option("CONV_2D", "padding", 2), "the option padding of an operator CONV_2D is 2, it has to"),
    (option("AVERAGE_POOL_2D", "filterHeight", 3), "reaches beyond its input"),
    (option("CONCATENATION", "axis", 0), "an operator CONCATENATION"),
    (option("CONCATENATION", "axis", 100), "the option axis of an operator CONCATENATION is 100"),
    (broken_mean, "an operator MEAN makes"),
    (options_of_another_kind, "an operator CONCATENATION has no options of its own"),
]


@pytest.mark.parametrize(
    ("spoil", "fact"), TFLITE_FAULTS, ids=[spoil.__name__ for spoil, _ in TFLITE_FAULTS]
)
def test_a_tflite_operator_that_contradicts_itself_is_refused(
    spoil: Callable[[Student], None], fact: str
) -> None:
    """Found by changing students: the first, in both precisions, and the fourth crash LiteRT."""
    student = Student("fp32" if spoil is without_bias else "int8")
    spoil(student)
    with pytest.raises(TfliteError) as caught:
        read_graph(pack(student.model))
    assert fact in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("SPLIT", "numSplits", 1),
        ("SPLIT", "numSplits", 100),
        ("SPLIT_V", "numSplits", 3),
        ("UNPACK", "num", 3),
        ("UNPACK", "axis", 3),
        ("PACK", "valuesCount", 1),
        ("PACK", "axis", 7),
        ("GATHER", "axis", 1),
        ("GATHER", "batchDims", 1),
        ("STRIDED_SLICE", "shrinkAxisMask", 3),
        ("STRIDED_SLICE", "ellipsisMask", 1),
        ("MIRROR_PAD", "mode", 7),
        ("BATCH_MATMUL", "adjY", False),
        ("SPACE_TO_DEPTH", "blockSize", 3),
        ("DEPTH_TO_SPACE", "blockSize", 0),
        ("MAX_POOL_2D", "filterHeight", 9),
        ("TRANSPOSE_CONV", "strideH", 3),
        ("FULLY_CONNECTED", "weightsFormat", 1),
        ("SUM", "keepDims", False),
    ],
)
def test_an_option_that_contradicts_its_operator_is_refused(
    kind: str, name: str, value: int
) -> None:
    """Found by changing the zoo: LiteRT writes as many outputs as the option of SPLIT says."""
    student = Student("zoo")
    assert hasattr(student.find(kind).builtinOptions, name)
    setattr(student.find(kind).builtinOptions, name, value)
    with pytest.raises(TfliteError, match=kind):
        read_graph(pack(student.model))


def quantised(student: Student, place: int) -> Any:
    """Return the quantisation of the input or the weights of the last layer of taps."""
    return student.tensor(student.find("DEPTHWISE_CONV_2D", last=True).inputs[place]).quantization


def scale_per_channel_of_the_input(student: Student) -> None:
    found = quantised(student, 0)
    found.scale, found.zeroPoint = np.full(CHANNELS, 0.1, np.float32), np.zeros(CHANNELS, np.int64)
    found.quantizedDimension = 3


def no_scale(student: Student) -> None:
    found = quantised(student, 0)
    found.scale, found.zeroPoint = None, None


def weights_with_a_zero_point(student: Student) -> None:
    quantised(student, 1).zeroPoint = np.full(CHANNELS, 3, np.int64)


def one_scale_a_tap(student: Student) -> None:
    found = quantised(student, 1)
    found.scale, found.zeroPoint = np.full(5, 0.1, np.float32), np.zeros(5, np.int64)
    found.quantizedDimension = 2


@pytest.mark.parametrize(
    ("spoil", "fact"),
    [
        (scale_per_channel_of_the_input, "a scale per channel where one scale belongs"),
        (no_scale, "computes with whole numbers that have no scale"),
        (weights_with_a_zero_point, "has weights with a zero point"),
        (one_scale_a_tap, f"has 5 scales for {CHANNELS} channels"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_scales_that_kernels_do_not_take_are_refused(
    spoil: Callable[[Student], None], fact: str
) -> None:
    student = Student("int8")
    spoil(student)
    with pytest.raises(TfliteError, match=fact):
        read_graph(pack(student.model))

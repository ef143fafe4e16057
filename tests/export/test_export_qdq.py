from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from export_toys import FACTS, executed, operations, quantized_toy, speech_like, toy
from onnx import TensorProto, helper, numpy_helper

from edge_vc_export.metadata import graph_metadata
from edge_vc_export.onnx.cleanup import clean
from edge_vc_export.onnx.export import export_onnx, trace
from edge_vc_export.onnx.graph import Graph
from edge_vc_export.onnx.qdq import quantize_graph
from edge_vc_export.parity.stream import OnnxStream


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("qdq") / "toy.onnx"
    return export_onnx(quantized_toy(), path, precision="int8", **FACTS)


def test_every_quantised_convolution_becomes_an_integer_kernel(
    exported: Path, tmp_path: Path
) -> None:
    counts = executed(exported, tmp_path)

    assert graph_metadata(exported).quantized_convolutions == 4
    assert counts["QLinearConv"] == 4
    assert counts["Conv"] == 4  # front end, two depthwise, head: float
    assert counts["QuantizeLinear"] == counts["DequantizeLinear"] <= 3  # around each block


def test_weights_are_stored_as_bytes_and_biases_as_integers(exported: Path) -> None:
    kinds = {t.name: t.data_type for t in onnx.load(exported).graph.initializer}

    for block in (0, 1):
        for layer in (2, 4):
            path = f"trunk.{block}.inner.{layer}.conv"
            assert kinds[f"{path}.weight.int8"] == TensorProto.INT8
            assert kinds[f"{path}.bias.int32"] == TensorProto.INT32
    assert not any("trunk" in name and name.endswith("conv.weight") and ".0.conv" not in name
                   for name in kinds)  # fmt: skip


def test_activations_are_unsigned_with_one_scale(exported: Path) -> None:
    model = onnx.load(exported)
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    quantizers = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]

    assert quantizers
    for node in quantizers:
        assert constants[node.input[1]].shape == ()
        assert constants[node.input[2]].dtype == np.uint8


def test_integers_compute_what_fake_quantisation_did(exported: Path) -> None:
    audio = speech_like(80)

    (found,) = OnnxStream(exported).run(audio.flatten().numpy())

    with torch.no_grad():
        expected = quantized_toy()(audio).flatten().numpy()
        plain = toy()(audio).flatten().numpy()
    error = np.square(found - expected).mean()
    effect = np.square(plain - expected).mean()
    assert error < 0.02 * effect  # roundings of single biases and ties, beside the quantisation
    assert effect > 0


def test_the_same_quantised_model_gives_the_same_bytes(exported: Path, tmp_path: Path) -> None:
    again = export_onnx(quantized_toy(), tmp_path / "again.onnx", precision="int8", **FACTS)
    assert again.read_bytes() == exported.read_bytes()


def test_a_convolution_with_float_output_is_made_float_again(tmp_path: Path) -> None:
    model = quantized_toy(outputs=False)
    graph = clean(trace(model, torch.zeros(1, 1, 1, 16)))

    form = quantize_graph(graph)

    assert form.integer == ("trunk.0.inner.2.conv", "trunk.1.inner.2.conv")
    assert form.floating == ("trunk.0.inner.4.conv", "trunk.1.inner.4.conv")
    path = export_onnx(model, tmp_path / "x.onnx", precision="int8", **FACTS)
    assert executed(path, tmp_path)["QLinearConv"] == 2
    audio = speech_like(40)
    with torch.no_grad():
        expected = model(audio).flatten().numpy()
    (found,) = OnnxStream(path).run(audio.flatten().numpy())
    assert np.abs(found - expected).max() < 0.05  # its input is no longer rounded


def test_int8_without_anything_quantised_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no quantised convolution"):
        export_onnx(toy(), tmp_path / "x.onnx", precision="int8", **FACTS)


SIGNED, UNSIGNED = np.int8, np.uint8


def past_graph(zero: np.generic, weight_zero: np.generic | None = None, scales: int = 1) -> Graph:
    """conv -> relu -> concat with its past -> quantiser -> depthwise conv -> quantiser."""
    rng = np.random.default_rng(0)
    value = helper.make_tensor_value_info
    tensors: dict[str, np.ndarray] = {
        "w1": rng.normal(size=(4, 2, 1, 1)).astype(np.float32),
        "w2": rng.normal(size=(4, 1, 1, 3)).astype(np.float32),
        "s1": np.full(4, 0.02, np.float32),
        "z1": np.full(4, 0 if weight_zero is None else weight_zero, np.int8),
        "sx": np.full(scales, 0.04, np.float32).squeeze(),
        "zx": np.full(scales, zero).squeeze(),
        "one": np.array([1]),
        "three": np.array([3]),
        "end": np.array([9]),
    }
    activation = ["sx", "zx"]
    nodes = []

    def add(op: str, inputs: list[str], output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def pair(name: str, parameters: list[str], **attributes: object) -> str:
        add("QuantizeLinear", [name, *parameters], f"{name}.q", **attributes)
        return add("DequantizeLinear", [f"{name}.q", *parameters], f"{name}.dq", **attributes)

    x, w1 = pair("audio", activation), pair("w1", ["s1", "z1"], axis=0)
    add("Relu", [add("Conv", [x, w1], "c1")], "r1")
    add("Concat", ["state.past", "r1"], "line", axis=3)
    add("Slice", ["line", "one", "end", "three"], "next.past")
    w2 = pair("w2", ["s1", "z1"], axis=0)
    line = pair("line", activation)
    pair(add("Conv", [line, w2], "c2", group=4), activation)
    nodes[-1].output[0] = "audio_out"
    graph = helper.make_graph(
        nodes,
        "past",
        [value("audio", 1, [1, 2, 1, 1]), value("state.past", 1, [1, 4, 1, 2])],
        [value("audio_out", 1, [1, 4, 1, 1]), value("next.past", 1, [1, 4, 1, 2])],
        [numpy_helper.from_array(array, name) for name, array in tensors.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    return Graph(helper.make_model(graph, opset_imports=opset, ir_version=8))


def run(graph: Graph, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(graph.to_model().SerializeToString(), options)
    return [np.asarray(y) for y in session.run(None, feeds)]


@pytest.mark.parametrize("zero", [UNSIGNED(0), SIGNED(-128)])
def test_a_quantiser_behind_a_concatenation_is_lifted_without_changing_a_value(
    zero: np.generic, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    feeds = {
        "audio": rng.normal(size=(1, 2, 1, 1)).astype(np.float32),
        "state.past": (0.04 * rng.integers(0, 50, (1, 4, 1, 2))).astype(np.float32),
    }
    expected = run(past_graph(zero), feeds)
    graph = clean(past_graph(zero))

    form = quantize_graph(graph)

    assert len(form.integer) == 2
    found = run(graph, feeds)
    (audio_before, past_before), (audio_after, past_after) = expected, found
    assert np.allclose(audio_before, audio_after, atol=1e-6)
    assert np.abs(past_before - past_after).max() <= 0.02  # the state now lies on the grid
    path = tmp_path / "past.onnx"
    path.write_bytes(clean(graph).to_model().SerializeToString())
    assert executed(path, tmp_path)["QLinearConv"] == 2


def test_weights_with_a_zero_point_are_refused() -> None:
    with pytest.raises(ValueError, match="w1 are quantised with a zero point"):
        quantize_graph(past_graph(UNSIGNED(0), weight_zero=SIGNED(3)))


def test_activations_with_a_scale_per_channel_are_refused() -> None:
    with pytest.raises(ValueError, match="activation audio has 2 scales"):
        quantize_graph(past_graph(UNSIGNED(0), scales=2))


def test_a_quantised_graph_holds_no_needless_pairs(exported: Path) -> None:
    counts = operations(exported)

    assert counts["Relu"] == 0  # a zero point of 0 or the grid's lower end cuts there
    assert counts["BatchNormalization"] == counts["Identity"] == 0

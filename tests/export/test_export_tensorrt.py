"""Every node of an exported graph is one that TensorRT lists; nothing ran on a GPU."""

from __future__ import annotations

import onnx
import pytest
from onnx import numpy_helper
from shipped_models import FLOAT_BUNDLES
from tensorrt_operators import FP32, SOURCE

from edge_vc.assets import bundle_path
from edge_vc_runtime.bundle.reader import read_bundle


def graph(name: str, precision: str) -> onnx.GraphProto:
    bundle = read_bundle(bundle_path(name))
    return onnx.load_from_string(
        bundle.read(bundle.manifest.model(precision, ("onnx",)).file)
    ).graph


@pytest.mark.parametrize("name", FLOAT_BUNDLES)
def test_the_float_graph_needs_nothing_that_tensorrt_lacks(name: str) -> None:
    nodes = graph(name, "fp32").node
    assert {node.op_type for node in nodes} <= FP32, f"not in {SOURCE}"
    assert {node.domain for node in nodes} <= {"", "ai.onnx"}


@pytest.mark.parametrize("name", FLOAT_BUNDLES)
def test_convolutions_are_as_tensorrt_wants_them(name: str) -> None:
    """Two dimensions, weights that are constants."""
    found = graph(name, "fp32")
    constants = {each.name: each for each in found.initializer}
    for node in found.node:
        if node.op_type in ("Conv", "ConvTranspose"):
            assert len(constants[node.input[1]].dims) == 4
        for place in {"Slice": (1, 2, 3), "Split": (1,), "Unsqueeze": (1,)}.get(node.op_type, ()):
            assert place >= len(node.input) or node.input[place] in constants


def test_the_int8_graph_has_zero_points_that_tensorrt_refuses() -> None:
    """Why the engine runs the float model: this fails if a later export makes INT8 symmetric."""
    found = graph("kathleen-base", "int8")
    constants = {each.name: numpy_helper.to_array(each) for each in found.initializer}
    points = [constants[n.input[2]] for n in found.node if n.op_type == "QuantizeLinear"]
    assert any(point.any() for point in points)

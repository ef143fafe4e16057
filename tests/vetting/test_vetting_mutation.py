"""Graphs whose parts were changed: what passes the checks does not crash the library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from runtime_bundles import delay_model, listed, write_bundle
from runtime_tflite import delay_tflite

from edge_vc.assets import bundle_path
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.engines.admission import UnsafeBundleError
from edge_vc_runtime.engines.onnx_engine.onnx_reader import OnnxError, read_onnx
from edge_vc_runtime.session import Session


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
        ("group", 7, "has 104 rows of weights in 7 groups"),
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


def test_a_graph_that_aborts_the_library_ends_in_one_line(state: Path, tmp_path: Path) -> None:
    """Found by changing students: a dilation beyond the input aborts ONNX Runtime 1.31."""
    good = read_bundle(bundle_path("kathleen-nano"))
    files = {name: good.read(name) for name in good.manifest.files}
    model = onnx.load_from_string(files["model.int8.onnx"])
    conv = next(node for node in model.graph.node if node.name == "trunk.2.inner.0.conv")
    next(each for each in conv.attribute if each.name == "dilations").ints[1] = 100
    files["model.int8.onnx"] = model.SerializeToString()
    path = write_bundle(tmp_path / "aborts.evc", listed(good.manifest, files), files)
    with pytest.raises(UnsafeBundleError, match="SIGABRT") as caught:
        Session.open(path, "onnx", precision="int8")
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()

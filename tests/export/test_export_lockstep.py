from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student
from edge_vc_export.errors import ParityError
from edge_vc_export.onnx.export import export_onnx
from edge_vc_export.parity.fp32 import check_fp32
from edge_vc_export.parity.lockstep import run_lockstep, run_offline
from edge_vc_export.parity.speech import example_speech
from edge_vc_export.parity.stream import OnnxStream

CONFIG = StudentConfig(channels=16, hidden=(16,), dilations=(1,), outputs=16)


def student(shift: float = 0.0) -> Student:
    """A student whose F0 is between two steps of the grid, less a hair."""
    torch.manual_seed(0)
    net = Student(CONFIG).eval()
    with torch.no_grad():
        net.head.get_submodule("controls").bias[-1] = 3.0  # voiced
        reader = net.get_submodule("pitch.3.conv")
        reader.weight.zero_()
        reader.bias[0] = float(np.log(150.5 * 16000 / 2**14)) + shift
    return net


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("side") / "fp32.onnx"
    return export_onnx(
        student(-1e-4),
        path,
        hop=160,
        sample_rate=16000,
        name="toy",
        precision="fp32",
        licence="CC0-1.0",
    )


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return example_speech(1.0, 16000)[:16000]


def test_the_same_pitch_has_no_slips(graph: Path, speech: np.ndarray) -> None:
    with torch.no_grad():
        lane = run_lockstep(student(-1e-4), OnnxStream(graph), speech)
    assert lane.slips == 0
    assert lane.comparable.all()
    np.testing.assert_allclose(lane.graph, lane.torch, atol=1e-5)
    assert lane.pitch is not None
    assert set(lane.pitch.tolist()) == {150.0}


def test_a_step_apart_is_a_slip_and_the_phase_is_taken_over(
    graph: Path, speech: np.ndarray
) -> None:
    other = student(1e-4)
    with torch.no_grad():
        lane = run_lockstep(other, OnnxStream(graph), speech)
        offline = run_offline(other, speech, lane.pitch)
    assert lane.slips == 100
    assert lane.widest_slip == 1.0
    assert not lane.comparable.any()
    # On the graph's pitch the models are the same but for the hair.
    np.testing.assert_allclose(offline, lane.graph, atol=1e-5)


def test_offline_stays_on_the_graphs_pitch(
    graph: Path, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch at once may round an F0 differently though it did not hop by hop."""
    monkeypatch.setattr(Student, "forward", lambda self, x: x * float("nan"))
    assert check_fp32(student(-1e-4), graph, speech).offline < 1e-5


def test_many_slips_are_an_error(graph: Path, speech: np.ndarray) -> None:
    with pytest.raises(ParityError, match="F0 differs from PyTorch's in 100 hops"):
        check_fp32(student(1e-4), graph, speech)

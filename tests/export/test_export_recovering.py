"""Graphs of before the recovering mean, with it: the same as the student that is built so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from typer.testing import CliRunner

from edge_vc.cli import app
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student
from edge_vc_export.formats import FormatError
from edge_vc_export.onnx.export import export_onnx
from edge_vc_export.onnx.recovering_norm import with_recovering_graph

SMALL = StudentConfig(
    channels=16, hidden=(24,), dilations=(1,), outputs=16, pitch_channels=8, channel_norm="gated"
)
HOPS = 300


@pytest.fixture(scope="module")
def gated() -> Student:
    torch.manual_seed(0)
    return Student(SMALL).eval()


def exported(student: Student, path: Path) -> bytes:
    config = student.config
    facts = {"hop": config.hop, "sample_rate": config.sample_rate, "name": "small",
             "precision": "fp32", "licence": "CC0-1.0"}  # fmt: skip
    return export_onnx(student, path, **facts).read_bytes()


def run(data: bytes, audio: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    ports = session.get_inputs()
    states = {p.name: np.zeros(p.shape, np.float32) for p in ports if p.name != "audio"}
    names = [port.name for port in session.get_outputs()]
    heard = []
    for hop in audio.reshape(HOPS, 1, 1, 1, -1):
        given = dict(zip(names, session.run(names, {"audio": hop, **states}), strict=True))
        heard.append(given.pop("audio_out").reshape(-1))
        states = {name.replace("next.", "state."): value for name, value in given.items()}
    return np.concatenate(heard)


def test_the_graph_is_that_of_the_recovering_student(gated: Student, tmp_path: Path) -> None:
    recovering = Student(replace(SMALL, channel_norm="recovering")).eval()
    recovering.load_state_dict(gated.state_dict())
    old = exported(gated, tmp_path / "old.onnx")
    generator = np.random.default_rng(0)
    level = np.repeat(10.0 ** generator.uniform(-3, 0, HOPS // 10), 10 * SMALL.hop)
    audio = (level * generator.uniform(-1, 1, level.size)).astype(np.float32)
    made = run(with_recovering_graph(old), audio)
    wanted = run(exported(recovering, tmp_path / "new.onnx"), audio)
    np.testing.assert_allclose(made, wanted, atol=1e-5)
    assert np.abs(made - run(old, audio)).max() > 1e-3


def test_what_recovers_already_is_refused(gated: Student, tmp_path: Path) -> None:
    new = with_recovering_graph(exported(gated, tmp_path / "old.onnx"))
    assert {"state.frontend.norm.floor"} <= {i.name for i in onnx.load_from_string(new).graph.input}
    with pytest.raises(FormatError, match="recovers already"):
        with_recovering_graph(new)


@pytest.mark.parametrize(
    "words",
    [["kathleen-nano"], ["kathleen-nano", "-o", "parts"], ["kathleen", "--tiers", "base,nano"]],
)
def test_the_option_is_refused_where_it_does_nothing(words: list[str]) -> None:
    done = CliRunner().invoke(app, ["export", *words, "--recover"])
    assert done.exit_code == 2
    assert "--recover" in str(done.output) + str(done.exception)

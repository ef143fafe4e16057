from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper
from teachers_toys import save_graph, save_halver, save_late_stream
from voices import voice

from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student
from edge_vc.teachers.loading import open_teacher, teacher_hash
from edge_vc.teachers.onnx_file import OnnxSpec
from edge_vc.teachers.onnx_session import session_options
from edge_vc.teachers.spec import TeacherError
from edge_vc_export.onnx.export import export_onnx

TINY = StudentConfig(mels=24, channels=32, hidden=(64, 64), dilations=(1, 2), outputs=32, bands=16)


@pytest.mark.parametrize("shape", [["T"], [1, "T"], ["B", 1, "T"], [1, 1, 1, "T"]], ids=str)
def test_an_offline_graph_takes_audio_in_any_shape(tmp_path, shape):
    teacher = open_teacher(OnnxSpec(path=str(save_halver(tmp_path / "a.onnx", shape))))
    audio = voice(0.5)
    np.testing.assert_array_equal(teacher.convert(audio), audio / 2)
    assert teacher.sample_rate == 16000


def test_an_offline_graph_of_one_length_runs_in_windows(tmp_path):
    teacher = open_teacher(OnnxSpec(path=str(save_halver(tmp_path / "a.onnx", [1, 4000]))))
    audio = voice(0.5)[:7777]
    np.testing.assert_allclose(teacher.convert(audio), audio / 2, atol=1e-6)


@pytest.mark.parametrize("shape", [[1, 160], [160], [1, 1, "N"]], ids=str)
def test_states_are_carried_from_hop_to_hop(tmp_path, shape):
    states = [1, 1, 160] if shape[-1] == "N" else shape
    nodes = [
        helper.make_node("Mul", ["h", "half"], ["output"]),
        helper.make_node("Identity", ["audio"], ["h_next"]),
    ]
    path = save_graph(
        tmp_path / "s.onnx",
        nodes,
        {"audio": shape, "h": states},
        {"output": states, "h_next": states},
        half=np.array(0.5, np.float32),
    )
    spec = OnnxSpec(path=str(path), states="h=h_next", hop=160)
    audio = voice(0.5)[:7777]
    output = open_teacher(spec).convert(audio)
    np.testing.assert_array_equal(output, np.pad(audio / 2, (160, 0))[:7777])


def test_what_a_stream_lags_behind_is_dropped(tmp_path):
    path = save_late_stream(tmp_path / "s.onnx")
    spec = OnnxSpec(path=str(path), states="memory=memory_out", delay=160)
    audio = voice(0.5)[:7777]
    np.testing.assert_array_equal(open_teacher(spec).convert(audio), audio / 2)


def test_a_graph_that_we_exported_needs_no_settings(tmp_path):
    torch.manual_seed(0)
    student = Student(TINY).eval()
    path = export_onnx(
        student, tmp_path / "student.onnx",
        hop=160, sample_rate=16000, name="tiny", precision="fp32", licence="CC0-1.0",
    )  # fmt: skip
    audio = voice(0.5)
    output = open_teacher(OnnxSpec(path=str(path))).convert(audio)
    padded = torch.from_numpy(np.pad(audio, (0, student.delay + -student.delay % 160)))
    with torch.no_grad():
        offline = student(padded[None, None, None])[0, 0, 0].numpy()
    np.testing.assert_allclose(output, offline[student.delay :][: len(audio)], atol=1e-4)


def test_the_hash_sees_weights_that_lie_apart(tmp_path):
    node = helper.make_node("Mul", ["audio", "gain"], ["output"])
    gain = np.full(1000, 0.5, np.float32)
    path = save_graph(
        tmp_path / "a.onnx", [node], {"audio": [1, 1000]}, {"output": [1, 1000]}, gain=gain
    )
    onnx.save(
        onnx.load(path), path, save_as_external_data=True, location="a.data", size_threshold=0
    )
    first = teacher_hash(OnnxSpec(path=str(path)))
    assert open_teacher(OnnxSpec(path=str(path))).convert(voice(0.5)).shape == (8000,)
    data = tmp_path / "a.data"
    data.write_bytes(np.full(1000, 0.25, np.float32).tobytes())
    assert teacher_hash(OnnxSpec(path=str(path))) != first


def multi_input(path: Path) -> Path:
    node = helper.make_node("Add", ["audio", "pitch"], ["output"])
    return save_graph(path, [node], {"audio": [1, "T"], "pitch": [1, "T"]}, {"output": [1, "T"]})


@pytest.mark.parametrize(
    ("make", "settings", "words"),
    [
        (
            multi_input,
            {},
            r"are audio, pitch. Declare the others: pitch .* teacher.inputs = .pitch = f0",
        ),
        (save_late_stream, {}, "one input of audio is needed"),
        (save_late_stream, {"states": "memory"}, "write in=next"),
        (save_late_stream, {"states": "memory=gone"}, "inputs are audio, memory, outputs output"),
        (save_late_stream, {"states": "memory=memory_out", "hop": 80}, "hop = 80; its input takes"),
        (lambda p: save_halver(p, [2, "T"]), {}, r"float \[T\], \[1, T\] or \[1, 1, T\] is needed"),
        (lambda p: p.write_bytes(b"no graph") and p, {}, "onnxruntime cannot load it"),
    ],
    ids=["two inputs", "states unnamed", "states odd", "states wrong", "hop", "batch", "junk"],
)
def test_a_graph_of_another_form_is_one_line(tmp_path, make, settings, words):
    path = make(tmp_path / "bad.onnx")
    with pytest.raises(TeacherError, match=words) as caught:
        open_teacher(OnnxSpec(path=str(path), **settings))
    assert "\n" not in str(caught.value)


def test_metadata_of_strangers_are_parsed_as_such(tmp_path):
    path = save_halver(tmp_path / "a.onnx", [1, "T"])
    model = onnx.load(path)
    helper.set_model_props(model, {"edge_vc.sample_rate": "-3; drop"})
    onnx.save(model, path)
    with pytest.raises(TeacherError, match=r"edge_vc\.sample_rate = '-3; drop', not a number"):
        open_teacher(OnnxSpec(path=str(path)))


@pytest.mark.parametrize("saturating", [False, True])
def test_int8_graphs_are_computed_in_float_where_kernels_saturate(monkeypatch, saturating):
    """x86 without VNNI clips sums of u8 x s8 products: outputs would lie 16 dB from the graph."""
    monkeypatch.setattr("edge_vc.teachers.onnx_session.kernels_saturate", lambda: saturating)
    options = session_options(1)
    if saturating:
        assert options.get_session_config_entry("session.disable_quant_qdq") == "1"
    else:
        with pytest.raises(RuntimeError):
            options.get_session_config_entry("session.disable_quant_qdq")

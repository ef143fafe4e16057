"""ONNX teachers as people have them: context, constants, F0, contents, open axes, other types."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from voices import voice

from edge_vc.teachers import onnx_feed
from edge_vc.teachers.loading import open_teacher, teacher_hash
from edge_vc.teachers.onnx_file import OnnxSpec
from edge_vc.teachers.outliers import OutlierError
from edge_vc.teachers.spec import TeacherError

EXAMPLES = Path(__file__).parents[2] / "examples"
F, I64, F16, I16 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.FLOAT16, TensorProto.INT16
Ports = dict[str, tuple[int, list[object]]]


def graph(path: Path, nodes: list[onnx.NodeProto], ins: Ports, outs: Ports, **constants) -> Path:
    sides = [
        [helper.make_tensor_value_info(name, *port) for name, port in side.items()]
        for side in (ins, outs)
    ]
    stored = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    model = helper.make_model(
        helper.make_graph(nodes, "g", *sides, stored),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
    )  # fmt: skip
    onnx.save(model, path)
    return path


def node(op: str, ins: str, out: str, **attributes) -> onnx.NodeProto:
    return helper.make_node(op, ins.split(), out.split(), **attributes)


HALF = np.float32(0.5)


def llvc(path: Path) -> Path:
    """32 samples of context before 208 new ones; the output is the sample 32 before, halved.

    A state counts the runs, and one is added to the output should it be lost.
    """
    nodes = [
        node("Slice", "x zero length last", "old"),
        node("Mul", "old half", "y"),
        *(node("Identity", name, f"new_{name}") for name in ("enc_buf", "dec_buf", "out_buf")),
    ]
    states: Ports = {name: (F, [1, 8, 4]) for name in ("enc_buf", "dec_buf", "out_buf")}
    return graph(
        path, nodes, {"x": (F, [1, 1, 240]), **states},
        {"y": (F, [1, 1, 208]), **{f"new_{name}": port for name, port in states.items()}},
        half=HALF, zero=np.array([0]), length=np.array([208]), last=np.array([2]),
    )  # fmt: skip


def contents(path: Path) -> Path:
    """A content encoder at 50 Hz: the mean of every 320 samples, 768 times."""
    nodes = [
        node("AveragePool", "audio", "m", kernel_shape=[320], strides=[320]),
        node("Transpose", "m", "t", perm=[0, 2, 1]),
        node("Mul", "t ones", "units"),
    ]
    return graph(
        path, nodes, {"audio": (F, [1, 1, "T"])}, {"units": (F, [1, "N", 768])},
        ones=np.ones((1, 1, 768), np.float32),
    )  # fmt: skip


def rvc(path: Path) -> Path:
    """400 samples at 40 kHz per frame: contents + 0.001 coarse + 0.0001 f0 + 0.01 speaker."""
    nodes = [
        node("ReduceMean", "phone", "p", axes=[2], keepdims=0),
        node("Cast", "pitch", "coarse", to=F),
        node("Mul", "coarse thousandth", "c"),
        node("Mul", "pitchf small", "f"),
        node("Cast", "ds", "speaker", to=F),
        node("Mul", "speaker hundredth", "s"),
        node("ReduceMean", "rnd", "r", axes=[1], keepdims=0),
        node("Mul", "r none", "n"),
        node("Cast", "phone_lengths", "count", to=F),
        node("Mul", "count none", "l"),
        node("Sum", "p c f s n l", "frame"),
        node("Unsqueeze", "frame two", "column"),
        node("Mul", "column ones", "table"),
        node("Reshape", "table flat", "audio"),
    ]
    ins: Ports = {
        "phone": (F, [1, "N", 768]), "phone_lengths": (I64, [1]), "pitch": (I64, [1, "N"]),
        "pitchf": (F, [1, "N"]), "ds": (I64, [1]), "rnd": (F, [1, 192, "N"]),
    }  # fmt: skip
    return graph(
        path, nodes, ins, {"audio": (F, [1, 1, "M"])},
        thousandth=np.float32(1e-3), small=np.float32(1e-4), hundredth=np.float32(1e-2),
        none=np.float32(0), two=np.array([2]), ones=np.ones((1, 1, 400), np.float32),
        flat=np.array([1, 1, -1]),
    )  # fmt: skip


def recipe(name: str, folder: Path) -> OnnxSpec:
    """A recipe example with its files in ``folder``."""
    settings = tomllib.loads((EXAMPLES / name).read_text())["teacher"]
    for key in ("path", "contents"):
        if key in settings:
            settings[key] = str(folder / settings[key])
    return OnnxSpec(**settings)


def test_the_recipe_for_llvc_streams_with_context(tmp_path):
    llvc(tmp_path / "llvc.onnx")
    audio = voice(0.5)[:7777]
    output = open_teacher(recipe("llvc_teacher.toml", tmp_path)).convert(audio)
    np.testing.assert_array_equal(output, np.pad(audio / 2, (32, 0))[:7777])


def test_the_recipe_for_rvc_feeds_contents_pitch_and_speaker(tmp_path):
    rvc(tmp_path / "rvc.onnx")
    contents(tmp_path / "contents.onnx")
    spec = recipe("rvc_teacher.toml", tmp_path)
    flat = np.full(16000, 0.25, np.float32)
    output = open_teacher(spec).convert(flat)
    assert output.shape == flat.shape
    assert output[4000:12000] == pytest.approx(0.25 + 0.001, abs=2e-3)
    buzz = (0.2 * np.sin(np.arange(16000) * 2 * np.pi * 150 / 16000)).astype(np.float32)
    f0 = 300  # an octave up
    low, high, mel = (1127 * np.log1p(hz / 700) for hz in (50, 1100, f0))
    coarse = round((mel - low) * 254 / (high - low) + 1 - (mel - low) / (high - low))
    other = open_teacher(
        OnnxSpec(**{**vars(spec), "inputs": spec.inputs.replace("ds = 0", "ds = 7")})
    )
    assert np.median(other.convert(buzz)) == pytest.approx(
        0.07 + 0.001 * coarse + 0.0001 * f0, abs=3e-3
    )
    assert teacher_hash(spec) != teacher_hash(OnnxSpec(path=spec.path, inputs=spec.inputs))


def copy(path: Path, kind: int, shape: list[object], out: list[object] | None = None) -> Path:
    return graph(
        path,
        [node("Identity", "audio", "y")],
        {"audio": (kind, shape)},
        {"y": (kind, out or shape)},
    )


@pytest.mark.parametrize("kind", [F, F16, I16], ids=["float", "float16", "int16"])
def test_audio_may_be_of_another_type(tmp_path, kind):
    audio = voice(0.3)
    output = open_teacher(OnnxSpec(path=str(copy(tmp_path / "a.onnx", kind, [1, "T"])))).convert(
        audio
    )
    np.testing.assert_allclose(output, audio, atol=1e-3)


def test_a_floating_graph_may_output_whole_numbers(tmp_path):
    nodes = [node("Mul", "audio k", "z"), node("Cast", "z", "y", to=I16)]
    path = graph(
        tmp_path / "a.onnx", nodes, {"audio": (F, [1, "T"])}, {"y": (I16, [1, "T"])},
        k=np.float32(16384),
    )  # fmt: skip
    audio = voice(0.3)
    output = open_teacher(OnnxSpec(path=str(path))).convert(audio)
    np.testing.assert_allclose(output, audio / 2, atol=1e-4)


def sid(path: Path, shape: list[object]) -> Path:
    nodes = [
        node("Cast", "sid", "s", to=F),
        node("ReduceMean", "s", "mean", keepdims=0),
        node("Mul", "audio mean", "y"),
    ]
    return graph(
        path, nodes, {"audio": (F, [1, 1, "T"]), "sid": (I64, shape)}, {"y": (F, [1, 1, "T"])}
    )


@pytest.mark.parametrize(
    ("shape", "text", "gain"),
    [([1], "3", 3), ([], "2", 2), (["batch"], "4", 4), ([2], "1 2", 1.5), ([1, 4], "2", 2)],
    ids=str,
)
def test_a_constant_has_a_name(tmp_path, shape, text, gain):
    spec = OnnxSpec(path=str(sid(tmp_path / "a.onnx", shape)), inputs=f"sid = {text}")
    audio = voice(0.3) / 10
    np.testing.assert_allclose(
        open_teacher(spec).convert(audio), audio * np.float32(gain), rtol=1e-5
    )


def silero(path: Path) -> Path:
    nodes = [
        node("Mul", "input half", "output"), node("Mul", "state half", "stateN"),
        node("Cast", "sr", "srf", to=F),
    ]  # fmt: skip
    return graph(
        path, nodes,
        {"input": (F, ["batch", 512]), "state": (F, [2, "batch", 128]), "sr": (I64, [])},
        {"srf": (F, []), "output": (F, ["batch", 512]), "stateN": (F, [2, "batch", 128])},
        half=HALF,
    )  # fmt: skip


def test_open_axes_of_states_have_length_one(tmp_path):
    path = silero(tmp_path / "a.onnx")
    spec = OnnxSpec(path=str(path), states="state=stateN", inputs="sr = 16000")
    audio = voice(0.3)
    np.testing.assert_array_equal(open_teacher(spec).convert(audio), audio / 2)


def second(path: Path, channels: int = 1) -> Path:
    nodes = [
        node("ReduceMean", "audio", "loud", axes=[2]),
        node("Concat", "audio " * channels, "y", axis=1),
    ]
    return graph(
        path, nodes, {"audio": (F, [1, 1, "T"])},
        {"loud": (F, [1, 1, 1]), "y": (F, [1, channels, "T"])},
    )  # fmt: skip


def test_the_output_that_is_audio_is_found_or_named(tmp_path):
    path = str(second(tmp_path / "a.onnx"))
    audio = voice(0.3)
    for output in ("", "y"):
        found = open_teacher(OnnxSpec(path=path, output=output)).convert(audio)
        np.testing.assert_array_equal(found, audio)
    with pytest.raises(OutlierError, match="wrong length"):
        open_teacher(OnnxSpec(path=path, output="loud")).convert(audio)
    with pytest.raises(TeacherError, match='output = "gone"; outputs are loud, y'):
        open_teacher(OnnxSpec(path=path, output="gone"))


def test_one_of_two_channels_is_chosen(tmp_path):
    path, audio = str(second(tmp_path / "a.onnx", 2)), voice(0.3)
    np.testing.assert_array_equal(
        open_teacher(OnnxSpec(path=path, channel=2)).convert(audio), audio
    )
    with pytest.raises(TeacherError, match=r"returns 2 channels: set teacher.channel = 1 to 2"):
        open_teacher(OnnxSpec(path=path))
    with pytest.raises(TeacherError, match=r"returns 2 channels .*: set teacher.channel = 1 to 2"):
        onnx_feed._one_channel(np.zeros((1, 2, 80)), 0)  # of a file that does not say so


def lfs(path: Path) -> Path:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 5\n")
    return path


@pytest.mark.parametrize(
    ("make", "rate"),
    [(lambda path: sid(path, [1]), 0), (silero, 0), (silero, 8000), (llvc, 0), (second, 0)],
    ids=["speaker", "states and a rate", "another rate", "context", "nothing"],
)
def test_who_follows_the_advice_arrives(tmp_path, make, rate):
    """Each refusal names settings; with those it goes on, at the latest at the fifth time."""
    spec = OnnxSpec(path=str(make(tmp_path / "a.onnx")), sample_rate=rate)
    for _ in range(5):
        try:
            made = open_teacher(spec).convert(voice(0.3))
        except (TeacherError, OutlierError) as error:
            advice = re.findall(r'teacher\.(\w+) = ("[^"]+"|\d+)', str(error))
            if not advice:
                pytest.fail(str(error))
            for name, value in advice:
                old = getattr(spec, name)
                new = value.strip('"') if isinstance(old, str) else int(value)
                spec = replace(spec, **{name: f"{old}, {new}" if old else new})
        else:
            assert made.shape == voice(0.3).shape
            return
    pytest.fail(f"still refused: {spec}")


REFUSED = {
    "a speaker": (lambda p: sid(p, [1]), {}, r'sid \(int64 \[1\]\): teacher.inputs = "sid = 0"'),
    "two at once": (silero, {}, r'state .*: teacher.states = "state=stateN"; sr .* "sr = 16000"'),
    "another rate": (silero, {"sample_rate": 8000}, '"sr = 8000"'),
    "contents": (
        rvc,
        {},
        "phone = contents.*lengths = frames.*pitch = coarse-f0.*pitchf = f0.*rnd = noise",
    ),
    "no encoder": (
        rvc,
        {"inputs": recipe("rvc_teacher.toml", Path()).inputs},
        "set teacher.contents to the ONNX file",
    ),
    "context": (llvc, {"states": "enc_buf=new_enc_buf, dec_buf=new_dec_buf, out_buf=new_out_buf"},
                "takes 240 samples and returns 208: set teacher.context = 32"),
    "a pointer": (lfs, {}, "is a Git LFS pointer, not the graph: run git lfs pull"),
    "no such port": (lambda p: sid(p, [1]), {"inputs": "speaker = 3"}, "inputs are audio, sid"),
    "no number": (lambda p: sid(p, [1]), {"inputs": "sid = bob"}, "neither numbers nor one of f0"),
    "too many": (lambda p: sid(p, [1]), {"inputs": "sid = 1 2 3"}, "takes 1 or 1 numbers"),
    "not finite": (lambda p: sid(p, [1]), {"inputs": "sid = nan"}, "is not finite"),
    "no value": (lambda p: sid(p, [1]), {"inputs": "sid"}, 'write "name = 3, other = f0"'),
    "stream of f0": (
        llvc,
        {"states": "enc_buf=new_enc_buf, dec_buf=new_dec_buf", "inputs": "out_buf=f0", "hop": 208},
        "a streaming graph takes constants only",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_declared_is_named_with_the_line_that_does(tmp_path, case):
    make, settings, words = REFUSED[case]
    spec = OnnxSpec(path=str(make(tmp_path / "a.onnx")), **settings)
    with pytest.raises(TeacherError, match=words) as caught:
        open_teacher(spec).convert(voice(0.5))
    assert "\n" not in str(caught.value)

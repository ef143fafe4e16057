from __future__ import annotations

import warnings
from fractions import Fraction
from pathlib import Path

import onnx
import pytest
import torch
from export_toys import FACTS, HOP, Toy, operations, speech_like, toy
from torch import Tensor

from edge_vc.models.student.config import TIERS, StudentConfig
from edge_vc.models.student.student import Student
from edge_vc.nn import State, StreamingLayer
from edge_vc.nn.layer import flatten_state
from edge_vc_export.metadata import graph_metadata
from edge_vc_export.onnx.export import export_onnx
from edge_vc_export.parity.stream import OnnxStream


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "toy.onnx"
    return export_onnx(toy(), path, precision="fp32", **FACTS)


def test_every_state_is_an_input_and_an_output_under_its_module_path(exported: Path) -> None:
    graph = onnx.load(exported).graph
    states = list(flatten_state(toy().init_state(1)))

    assert [value.name for value in graph.input] == ["audio", *(f"state.{s}" for s in states)]
    assert [value.name for value in graph.output] == ["audio_out", *(f"next.{s}" for s in states)]


def test_shapes_are_static_and_contexts_have_their_channels_last(exported: Path) -> None:
    shapes = {}
    for value in (*onnx.load(exported).graph.input, *onnx.load(exported).graph.output):
        shapes[value.name] = [size.dim_value for size in value.type.tensor_type.shape.dim]

    assert shapes["audio"] == shapes["audio_out"] == [1, 1, 1, HOP]
    for name, tensor in flatten_state(toy().init_state(1)).items():
        batch, channels, height, frames = tensor.shape
        turned = name.startswith("trunk")
        expected = [batch, height, frames, channels] if turned else list(tensor.shape)
        assert shapes[f"state.{name}"] == shapes[f"next.{name}"] == expected


def test_facts_for_a_bare_model_are_in_the_file(exported: Path) -> None:
    facts = graph_metadata(exported)

    assert (facts.name, facts.precision, facts.licence) == ("toy", "fp32", "CC0-1.0")
    assert (facts.hop, facts.sample_rate, facts.delay) == (HOP, 8000, 0)
    assert facts.nodes == len(onnx.load(exported).graph.node)


def test_old_runtimes_can_load_it(exported: Path) -> None:
    model = onnx.load(exported)

    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]
    assert model.ir_version <= 9  # what onnxruntime 1.17 reads


def test_the_graph_streams_like_the_model(exported: Path) -> None:
    audio = speech_like(60)
    (found,) = OnnxStream(exported).run(audio.flatten().numpy())

    with torch.no_grad():
        expected = toy()(audio).flatten().numpy()
    assert abs(found - expected).max() < 1e-5
    assert abs(expected).max() > 0.1


def test_the_same_model_gives_the_same_bytes(exported: Path, tmp_path: Path) -> None:
    model = toy()
    for name in ("first", "second"):
        export_onnx(model, tmp_path / name, precision="fp32", **FACTS)

    assert (tmp_path / "first").read_bytes() == exported.read_bytes()
    assert (tmp_path / "second").read_bytes() == exported.read_bytes()


def test_nothing_of_the_machine_is_in_the_file(exported: Path) -> None:
    content = exported.read_bytes()

    assert str(Path(__file__).parents[2]).encode() not in content
    assert b".py" not in content


def test_batch_norms_are_folded_and_nodes_carry_module_paths(exported: Path) -> None:
    counts = operations(exported)

    assert counts["Conv"] == 8
    counts["Transpose"] = 0  # cancelled by the engine
    assert counts.total() == 8 + 2 * 3 + 2 + 2 + 2  # and contexts, Relus, adds, tanh, reshape
    names = {node.name for node in onnx.load(exported).graph.node if node.op_type == "Conv"}
    assert {"frontend.conv", "trunk.1.inner.2.conv", "head.controls"} <= names


def test_the_model_is_left_as_it_was(tmp_path: Path) -> None:
    model = toy().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    export_onnx(model, tmp_path / "toy.onnx", precision="fp32", **FACTS)

    assert all(module.training for module in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_exporting_warns_of_nothing(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export_onnx(toy(), tmp_path / "toy.onnx", precision="fp32", **FACTS)


@pytest.mark.parametrize("head", ["source-filter", "istft"])
def test_students_export_and_stream_like_themselves(head: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    config = StudentConfig(channels=16, hidden=(24, 24), dilations=(1, 4), outputs=16, head=head)
    student = Student(config).eval()
    path = export_onnx(
        student,
        tmp_path / "student.onnx",
        hop=config.hop,
        sample_rate=config.sample_rate,
        name="s",
        precision="fp32",
        licence="CC0-1.0",
    )
    audio = 0.1 * torch.randn(1, 1, 1, 40 * config.hop)

    (found,) = OnnxStream(path).run(audio.flatten().numpy())

    with torch.no_grad():
        assert abs(found - student(audio).flatten().numpy()).max() < 1e-4
    assert graph_metadata(path).delay == student.delay == 160


def test_the_base_student_stays_a_small_graph(tmp_path: Path) -> None:
    config = TIERS["base"]
    facts = FACTS | {"hop": config.hop, "sample_rate": config.sample_rate}
    path = export_onnx(Student(config), tmp_path / "base.onnx", precision="fp32", **facts)
    counts = operations(path)
    counts["Relu"] = counts["Transpose"] = 0  # every engine fuses and cancels these

    assert counts.total() <= 130


class Halving(Toy):
    ratio = Fraction(1, 2)


def test_a_model_that_is_no_audio_graph_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="gives 1/2 samples per sample"):
        export_onnx(Halving(), tmp_path / "x.onnx", precision="fp32", **FACTS)


def test_a_hop_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="hop 24 is not a multiple of the model's block, 16"):
        export_onnx(toy(), tmp_path / "x.onnx", precision="fp32", **FACTS | {"hop": 24})
    assert not list(tmp_path.iterdir())


class Growing(StreamingLayer):
    """A context that becomes longer with every step."""

    def init_state(self, batch: int) -> State:
        return {"past": torch.zeros(batch, 1, 1, 4)}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        past = state["past"]
        assert isinstance(past, Tensor)
        return x, {"past": torch.cat([past, x], dim=-1)}


def test_a_state_that_changes_its_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"state past is \(1, 1, 1, 4\).*\(1, 1, 1, 20\)"):
        export_onnx(Growing(), tmp_path / "x.onnx", precision="fp32", **FACTS)


class Passing(StreamingLayer):
    """Gives what it was given one hop ago: inputs and outputs of the graph touch."""

    def init_state(self, batch: int) -> State:
        return {"line": torch.zeros(batch, 1, 1, HOP)}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        line = state["line"]
        assert isinstance(line, Tensor)
        return line, {"line": x}


def test_a_graph_without_work_still_swaps_its_states(tmp_path: Path) -> None:
    path = export_onnx(Passing(), tmp_path / "x.onnx", precision="fp32", **FACTS)
    audio = speech_like(5).flatten().numpy()

    (found,) = OnnxStream(path).run(audio)

    assert (found[HOP:] == audio[:-HOP]).all()
    assert not found[:HOP].any()


def test_audio_shorter_than_a_hop_is_refused(exported: Path) -> None:
    with pytest.raises(ValueError, match="less than one hop of 16"):
        OnnxStream(exported).run(speech_like(1).flatten().numpy()[:9])


def test_a_foreign_graph_has_no_facts(tmp_path: Path) -> None:
    value = onnx.helper.make_tensor_value_info
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    graph = onnx.helper.make_graph([node], "x", [value("x", 1, [1])], [value("y", 1, [1])])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "x.onnx")
    with pytest.raises(ValueError, match="not exported by edge-vc"):
        graph_metadata(tmp_path / "x.onnx")

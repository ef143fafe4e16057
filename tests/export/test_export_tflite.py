from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from ai_edge_litert.interpreter import Interpreter
from export_toys import FACTS, HOP, RATE, Toy, quantized_toy, speech_like, toy
from torch import Tensor

from edge_vc.nn import Serial, State, StreamingLayer
from edge_vc_export.bundle.selection import Selection
from edge_vc_export.errors import ParityError
from edge_vc_export.formats import DYNAMIC, FormatError, UnsupportedLayerError, check_formats
from edge_vc_export.metadata import graph_metadata
from edge_vc_export.onnx.export import export_onnx
from edge_vc_export.parity.cross_format import check_cross_format
from edge_vc_export.parity.fp32 import check_fp32
from edge_vc_export.parity.int8 import Int8Limits, check_int8
from edge_vc_export.parity.open_stream import open_stream
from edge_vc_export.tflite import convert_onnx, export_tflite
from edge_vc_export.tflite.file import TfliteFile
from edge_vc_export.tflite.model import ModelBuilder, TensorQuantParams
from edge_vc_runtime.engines.litert_engine.tflite_pack import ALIGNMENT


def audio(seconds: float) -> np.ndarray:
    return speech_like(round(seconds * RATE / HOP)).flatten().numpy()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The toy in every precision and format."""
    folder, found = tmp_path_factory.mktemp("formats"), {}
    for precision, model in (("fp32", toy()), ("int8", quantized_toy())):
        for format, export in (("onnx", export_onnx), ("tflite", export_tflite)):
            path = folder / f"{precision}.{format}"
            found[path.name] = export(model, path, precision=precision, **FACTS)
    dynamic = folder / "dynamic.tflite"
    found[dynamic.name] = export_tflite(toy(), dynamic, precision=DYNAMIC, **FACTS)
    return found


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_names_shapes_and_facts_are_those_of_the_onnx_file(
    precision: str, files: dict[str, Path]
) -> None:
    theirs = onnx.load(files[f"{precision}.onnx"]).graph
    ours = TfliteFile.read(files[f"{precision}.tflite"])

    assert ours.inputs == tuple(value.name for value in theirs.input)
    assert ours.outputs == tuple(value.name for value in theirs.output)
    for value in (*theirs.input, *theirs.output):
        shape = tuple(size.dim_value for size in value.type.tensor_type.shape.dim)
        assert ours.shape(value.name) == shape
    said = {
        entry.key: entry.value for entry in onnx.load(files[f"{precision}.onnx"]).metadata_props
    }
    assert ours.metadata == said
    assert {"edge_vc.sample_rate", "edge_vc.hop", "edge_vc.licence"} <= set(said)


def test_the_signature_names_every_tensor_and_all_are_float(files: dict[str, Path]) -> None:
    interpreter = Interpreter(str(files["int8.tflite"]), num_threads=1)
    interpreter.allocate_tensors()

    (signature,) = interpreter.get_signature_list().values()
    details = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    assert {d["name"] for d in details} == {*signature["inputs"], *signature["outputs"]}
    assert {d["dtype"] for d in details} == {np.float32}


def test_the_same_layers_are_integers_in_both_formats(files: dict[str, Path]) -> None:
    counts = {name: graph_metadata(path).quantized_convolutions for name, path in files.items()}

    assert counts["int8.onnx"] == counts["int8.tflite"] == 4
    assert counts["fp32.onnx"] == counts["fp32.tflite"] == 0


def test_float_files_agree_with_torch_and_with_each_other(files: dict[str, Path]) -> None:
    parity = check_fp32(toy(), files["fp32.tflite"], audio(2.0))
    agreement = check_cross_format(files["fp32.onnx"], files["fp32.tflite"], audio(2.0))

    assert max(parity.offline, parity.streaming) <= 1e-5
    assert agreement.difference <= 1e-5


def test_integer_files_agree_far_better_than_integers_with_floats(files: dict[str, Path]) -> None:
    agreement = check_cross_format(files["int8.onnx"], files["int8.tflite"], audio(2.0))
    crude = Int8Limits(least_snr_db=15.0, largest_distance_db=9.0, largest_drift_db=9.0)
    parity = check_int8(files["fp32.onnx"], files["int8.tflite"], audio(2.0), crude)

    assert agreement.trunk_snr_db >= 60 > parity.trunk_snr_db + 10


def test_dynamic_weights_are_close_to_float(files: dict[str, Path]) -> None:
    parity = check_int8(files["fp32.onnx"], files["dynamic.tflite"], audio(2.0))

    assert parity.trunk_snr_db >= 30
    assert files["dynamic.tflite"].stat().st_size < files["fp32.tflite"].stat().st_size


def test_a_file_that_says_something_else_is_refused(files: dict[str, Path], tmp_path: Path) -> None:
    torch.manual_seed(99)
    other = export_tflite(Toy().eval(), tmp_path / "other.tflite", precision="fp32", **FACTS)

    with pytest.raises(ParityError, match=r"other\.tflite: differs from .*fp32\.onnx by"):
        check_cross_format(files["fp32.onnx"], other, audio(0.5))
    with pytest.raises(ParityError, match=r"int8\.tflite: its trunk is .* dB from that of"):
        check_cross_format(files["int8.onnx"], files["int8.tflite"], audio(0.5), least_snr_db=300.0)


def test_an_onnx_file_converts_to_the_same_bytes(files: dict[str, Path], tmp_path: Path) -> None:
    for precision in ("fp32", "int8"):
        path = convert_onnx(files[f"{precision}.onnx"], tmp_path / f"{precision}.tflite")
        assert path.read_bytes() == files[f"{precision}.tflite"].read_bytes()
    dynamic = convert_onnx(files["fp32.onnx"], tmp_path / "dynamic.tflite", DYNAMIC)
    assert dynamic.read_bytes() == files["dynamic.tflite"].read_bytes()


def test_states_lie_side_by_side_in_the_same_order(files: dict[str, Path]) -> None:
    interpreter = Interpreter(str(files["fp32.tflite"]), num_threads=1)
    numbers = {d["name"]: d["index"] for d in interpreter.get_input_details()}
    numbers |= {d["name"]: d["index"] for d in interpreter.get_output_details()}

    states = [name for name in numbers if name.startswith("state.")]
    first, second = (
        [numbers[f"{side}.{name.removeprefix('state.')}"] for name in states]
        for side in ("state", "next")
    )
    assert first == list(range(first[0], first[0] + len(states)))
    assert second == list(range(first[-1] + 1, first[-1] + 1 + len(states)))


def test_everything_runs_in_one_piece_of_xnnpack(files: dict[str, Path]) -> None:
    interpreter = Interpreter(str(files["int8.tflite"]), num_threads=1)
    interpreter.allocate_tensors()
    operators = [each["op_name"] for each in interpreter._get_ops_details()]

    assert operators.count("DELEGATE") == 1
    assert operators[-1] == "DELEGATE"


@pytest.mark.parametrize("channels", [7, 8, 9, 17])
def test_channels_beyond_whole_lanes_are_cut_off_again(channels: int, tmp_path: Path) -> None:
    model = Toy()
    model.frontend.conv = torch.nn.Conv2d(1, 8, (1, 2 * HOP), stride=(1, HOP))
    model.head = Odd(channels)
    path = export_tflite(model.eval(), tmp_path / "odd.tflite", precision="fp32", **FACTS)

    parity = check_fp32(model, path, audio(0.5))

    assert parity.streaming <= 1e-5


class Odd(StreamingLayer):
    """A head with a number of channels that no kernel likes."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.controls = torch.nn.Conv2d(8, channels, 1)
        self.last = torch.nn.Conv2d(channels, HOP, 1)

    def init_state(self, batch: int) -> State:
        return {}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        y = self.last(torch.tanh(self.controls(x)))
        return y.transpose(1, 3).reshape(x.shape[0], 1, 1, -1), {}


class Plain(StreamingLayer):
    """A function as a layer."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def init_state(self, batch: int) -> State:
        return {}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return self.function(x), {}


def spectrum(x: Tensor) -> Tensor:
    return torch.fft.rfft(x, dim=1).real[:, :1] + x


def inverse(x: Tensor) -> Tensor:
    return torch.linalg.inv(x.reshape(1, 2, 2, 2) + torch.eye(2)).reshape(x.shape)


def pooled(x: Tensor) -> Tensor:
    return torch.nn.functional.adaptive_avg_pool2d(x.reshape(1, 1, 8, 1), (3, 1)).mean() + x


def padded(x: Tensor) -> Tensor:
    return torch.nn.functional.conv2d(x, torch.ones(8, 8, 1, 3), padding=(0, 1))


def spread(x: Tensor) -> Tensor:
    return (x.reshape(1, 2, 2, 1, 2, 1) * torch.ones(1, 2, 2, 3, 2, 2)).sum((3, 5)).reshape(x.shape)


@pytest.mark.parametrize(
    ("function", "export", "words"),
    [
        (torch.erf, export_tflite, "layer trunk.2: TFLite does not support Erf"),
        (lambda x: x.cumsum(1), export_tflite, "layer trunk.2: TFLite does not support CumSum"),
        (torch.special.i0, export_onnx, "layer trunk.2: ONNX opset 17 does not support aten::i0"),
        (torch.special.i0, export_tflite, "layer trunk.2: ONNX opset 17 does not support aten::i0"),
        (
            lambda x: torch.lerp(x, -x, x),
            export_tflite,
            "layer trunk.2: TFLite does not support Less",
        ),
        (spectrum, export_onnx, "layer trunk.2: ONNX opset 17 does not support aten::fft_rfft"),
        (inverse, export_onnx, "layer trunk.2: ONNX opset 17 does not support aten::linalg_inv"),
        (pooled, export_onnx, "layer trunk.2: Unsupported: .* adaptive_avg_pool2d"),
        (
            lambda x: torch.cat([x, x], 1)[:, ::2],
            export_tflite,
            "layer trunk.2: TFLite does not support slices in steps of 2",
        ),
        (padded, export_tflite, "layer trunk.2: this convolution pads its input"),
        (spread, export_tflite, "layer trunk.2: TFLite takes arithmetic over at most 4 axes"),
    ],
    ids=[
        "erf in tflite",
        "cumsum in tflite",
        "bessel in onnx",
        "bessel in tflite",
        "compare within lerp",
        "fft",
        "inverse",
        "refused by the exporter",
        "steps of a slice",
        "padding",
        "six axes",
    ],
)
def test_a_layer_that_a_format_cannot_take_is_named(
    function: Callable[[Tensor], Tensor],
    export: Callable[..., Path],
    words: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    model = Toy()
    model.trunk = Serial(*model.trunk, Plain(function))

    with pytest.raises(UnsupportedLayerError, match=words) as error:
        export(model.eval(), tmp_path / "bad.graph", precision="fp32", **FACTS)

    assert "use a layer of edge_vc.nn in its place" in str(error.value)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("selection", "quantized", "words"),
    [
        (Selection(formats=("onnx", "gguf")), True, "no format 'gguf': choose from onnx, tflite"),
        (Selection(formats=()), True, "no format to write"),
        (Selection(precisions=("int4",)), True, "no precision 'int4'"),
        (Selection(precisions=()), True, "no precision to write"),
        (Selection(("onnx",), ("fp32", DYNAMIC)), True, "dynamic-int8 is written as TFLite only"),
        (Selection(precisions=("int8",)), False, "there is no INT8 student here"),
    ],
    ids=["format", "no format", "precision", "no precision", "dynamic onnx", "no int8"],
)
def test_what_cannot_be_written_is_said_at_once(
    selection: Selection, quantized: bool, words: str
) -> None:
    with pytest.raises(FormatError, match=words):
        selection.check(quantized)


def test_a_missing_package_comes_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("edge_vc_export.formats.import_module", missing)

    check_formats(("onnx",))
    with pytest.raises(FormatError, match="pip install edge-vc, or leave tflite out"):
        check_formats(("onnx", "tflite"))


def test_files_that_are_not_ours_are_refused(tmp_path: Path, files: dict[str, Path]) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(b"no flatbuffer at all")
    with pytest.raises(ValueError, match=r"x\.tflite: is not a TFLite file"):
        graph_metadata(path)

    builder = ModelBuilder()
    value = builder.tensor("audio", (1, 1, 1, 4))
    path.write_bytes(builder.to_bytes([value], [value], {}))
    with pytest.raises(ValueError, match=r"x\.tflite: carries no edge_vc metadata"):
        graph_metadata(path)

    foreign = onnx.load(files["fp32.onnx"])
    del foreign.metadata_props[:]
    onnx.save(foreign, tmp_path / "foreign.onnx")
    with pytest.raises(ValueError, match=r"foreign\.onnx: carries no edge_vc metadata"):
        convert_onnx(tmp_path / "foreign.onnx", tmp_path / "y.tflite")
    assert not (tmp_path / "y.tflite").exists()


def test_a_missing_tensor_is_named(files: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match="has no tensor 'nothing'"):
        open_stream(files["fp32.tflite"], ["nothing"])


def test_constants_lie_where_vectors_load_fast() -> None:
    builder = ModelBuilder()
    x = builder.tensor("x", (1, 3))
    for size in (1, 2, 3):
        builder.constant(
            f"c{size}", np.full(size, 0.123, np.float32), TensorQuantParams(np.ones(1))
        )
    data = builder.to_bytes([x], [x], {"note": "odd"})

    first = data.index(np.full(3, 0.123, np.float32).tobytes())
    assert first % ALIGNMENT == 0


def test_equal_constants_are_stored_once() -> None:
    builder = ModelBuilder()
    one, other = (builder.constant(name, np.arange(5, dtype=np.float32)) for name in "ab")

    assert one == other

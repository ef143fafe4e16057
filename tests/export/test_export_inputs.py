"""Conditioning inputs from a student's declaration to an open session of both engines."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conditioned_toys import INPUTS, conditioned_student, write_conditioned, write_graphs

from edge_vc.assets import bundle_names, bundle_path
from edge_vc.compress.quantization.ptq import quantize
from edge_vc.models.student.input_track import moving_inputs, track_tensors
from edge_vc_export.bundle.merge import merge_bundles
from edge_vc_export.errors import ParityError
from edge_vc_export.parity.cross_format import check_cross_format
from edge_vc_export.parity.fp32 import check_fp32
from edge_vc_export.parity.speech import example_speech
from edge_vc_runtime.bundle.manifest import MANIFEST_NAME, Manifest
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.session import Session

SPEECH = example_speech(2.0, 16_000)
ENGINES = ("onnx", "litert")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_conditioned(conditioned_student(), tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_graphs(conditioned_student(), tmp_path_factory.mktemp("graphs"))


def test_both_graphs_equal_the_student_while_inputs_change(graphs: tuple[Path, Path]) -> None:
    student = conditioned_student()
    for path in graphs:
        parity = check_fp32(student, path, SPEECH)
        assert max(parity.offline, parity.streaming) < 1e-5
    assert check_cross_format(*graphs, SPEECH).difference < 1e-5


def test_a_graph_that_takes_another_value_of_an_input_is_noticed(
    graphs: tuple[Path, Path],
) -> None:
    student = conditioned_student()
    with torch.no_grad():
        student.modulation.linear.weight[:, 3] *= 1.5  # what the graph knows of one style
    with pytest.raises(ParityError, match="differs from PyTorch"):
        check_fp32(student, graphs[0], SPEECH)


def test_the_integer_form_takes_the_same_inputs_in_both_formats(tmp_path: Path) -> None:
    student = conditioned_student()
    speech = [torch.from_numpy(SPEECH)[None, None, None]]
    quantized = quantize(student, speech * 2)
    onnx, tflite = write_graphs(quantized, tmp_path, "int8")
    assert check_cross_format(onnx, tflite, SPEECH).trunk_snr_db > 40


@pytest.mark.parametrize("engine", ENGINES)
def test_a_session_follows_what_is_set(bundle: Path, engine: str) -> None:
    student, session = conditioned_student(), Session.open(bundle, engine)
    hops = SPEECH.reshape(-1, 160)[:200]
    track = moving_inputs(INPUTS, len(hops))
    made = []
    for index, hop in enumerate(hops):
        for name, values in track.items():
            session.set(name, values[index].tolist())
        made.append(session.step(hop).copy())
    with torch.no_grad():
        audio = torch.from_numpy(hops.reshape(1, 1, 1, -1))
        expected = student(audio, track_tensors(track)).flatten().numpy()
    assert np.abs(np.concatenate(made) - expected).max() < 1e-4


@pytest.mark.parametrize("engine", ENGINES)
def test_inputs_stay_through_a_reset_and_cost_no_memory_in_a_step(
    bundle: Path, engine: str
) -> None:
    session, hop = Session.open(bundle, engine), SPEECH[8000:8160]
    assert session.set("voice", "flemishguy:0.6,kathleen:0.2") == pytest.approx((0.25, 0.75))
    first = [session.step(hop).copy() for _ in range(20)]
    session.reset()
    again = [session.step(hop).copy() for _ in range(20)]
    assert np.array_equal(first, again)
    vector = np.ones(5, np.float32)
    tracemalloc.start()
    session.step(hop)  # what is made once
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(50):
        session.set_vector("phones", vector)
        session.step(hop)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 50 * hop.nbytes / 4  # what keeps one hop in each step is four times as much
    assert session.get("phones") == (1.0,) * 5


def test_the_manifest_says_what_the_graphs_take(bundle: Path) -> None:
    manifest = read_bundle(bundle).manifest
    assert manifest.inputs == INPUTS
    assert manifest.format_version == 3
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_tiers_keep_their_own_inputs(bundle: Path, tmp_path: Path) -> None:
    plain = replace(conditioned_student().config, inputs=())
    torch.manual_seed(0)
    folder = tmp_path / "plain"
    folder.mkdir()
    other = write_conditioned(type(conditioned_student())(plain).eval(), folder)
    both = {"base": read_bundle(other), "nano": read_bundle(bundle)}
    merged = read_bundle(merge_bundles(tmp_path / "both.evc", both)).manifest
    assert merged.format_version == 3
    assert merged.tier("base").inputs == ()
    assert merged.tier("base").format_version == 1
    assert merged.tier("nano").inputs == INPUTS


@pytest.mark.parametrize("name", [name for name in bundle_names() if name != "kathleen-flemish"])
def test_a_bundle_without_inputs_is_what_it_was_to_the_byte(name: str) -> None:
    bundle = read_bundle(bundle_path(name))
    assert bundle.manifest.inputs == ()
    stored = bundle_path(name).read_bytes()
    assert bundle.manifest.to_json() in stored
    assert MANIFEST_NAME.encode() in stored[:512]

"""LiteRT keeps its state inside the interpreter: right, safe, and without a word on stderr."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from runtime_bundles import delay_model, listed, mini_contents, write_bundle, write_mini
from runtime_tflite import (
    TfliteWriter,
    delay_tflite,
    dense_tflite,
    leaky_tflite,
    open_tflite,
)

from edge_vc_runtime.engines import EngineError
from edge_vc_runtime.engines.litert_engine import library as litert_library
from edge_vc_runtime.engines.litert_engine.library import ANCESTOR, Library, load_library
from edge_vc_runtime.engines.litert_engine.memory import Move, merge_moves
from edge_vc_runtime.engines.litert_engine.profile import BETWEEN, op_times
from edge_vc_runtime.engines.litert_engine.tflite_reader import read_graph
from edge_vc_runtime.session import Session

STATES = {"first": (1, 1, 1, 16), "second": (1, 3, 5, 1), "third": (1, 1, 1, 1), "last": (2, 40)}


def noise(hops: int, hop: int = 160, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.2, hops * hop).astype(np.float32)


def stream(session: Session, audio: np.ndarray) -> np.ndarray:
    hops = audio.reshape(-1, session.hop)
    return np.concatenate([session.step(hop).copy() for hop in hops])


@pytest.mark.parametrize("delay", [1, 80, 160, 400])
def test_state_goes_round(tmp_path: Path, delay: int) -> None:
    session = Session.open(write_mini(tmp_path / "a.evc", ("tflite",), delay=delay))
    assert session.selection.engine == "litert"
    audio = noise(60)
    late = stream(session, audio)
    np.testing.assert_array_equal(late[delay:], audio[:-delay])
    np.testing.assert_array_equal(late[:delay], 0)


@pytest.mark.parametrize("ordered", [True, False], ids=["ordered", "mixed"])
def test_every_state_over_many_hops(ordered: bool) -> None:
    engine = open_tflite(leaky_tflite(16, STATES, 0.9, ordered=ordered), 16, STATES)
    expected = np.zeros(16, np.float32)
    hops = noise(2000, 16).reshape(-1, 16)
    for hop in hops:
        engine.input[:] = hop
        expected = np.float32(0.9) * expected + hop
        np.testing.assert_array_equal(engine.run(), expected)
    others = np.concatenate([np.frombuffer(state, np.float32) for state, _ in engine._moves])
    assert np.isclose(others, 10, rtol=1e-5).sum() == 15 + 1 + 80  # 1 / (1 - 0.9) in each


def test_neighbours_are_copied_at_once() -> None:
    copies = {
        ordered: len(open_tflite(leaky_tflite(16, STATES, 0.9, ordered=ordered), 16, STATES)._moves)
        for ordered in (True, False)
    }
    assert copies == {True: 1, False: len(STATES)}


@pytest.mark.parametrize(
    ("moves", "merged"),
    [
        ([], []),
        ([Move(640, 0, 64), Move(704, 64, 10)], [Move(640, 0, 74)]),
        ([Move(704, 64, 10), Move(640, 0, 4)], [Move(640, 0, 74)]),
        ([Move(640, 0, 64), Move(768, 64, 64)], [Move(640, 0, 64), Move(768, 64, 64)]),
        ([Move(640, 0, 64), Move(704, 128, 64)], [Move(640, 0, 64), Move(704, 128, 64)]),
        ([Move(64, 0, 8), Move(0, 64, 8)], [Move(64, 0, 8), Move(0, 64, 8)]),
    ],
    ids=["none", "close", "padded", "source apart", "target apart", "crossed"],
)
def test_merging(moves: list[Move], merged: list[Move]) -> None:
    assert merge_moves(moves) == merged


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_reset_is_silence(tmp_path: Path, hops: int) -> None:
    session = Session.open(write_mini(tmp_path / "a.evc", ("tflite",)))
    first = stream(session, noise(7))
    stream(session, noise(hops, seed=1))
    session.reset()
    np.testing.assert_array_equal(stream(session, noise(7)), first)


def test_sessions_do_not_share_state(both: Path) -> None:
    one, other = (Session.open(both, "litert") for _ in range(2))
    stream(one, noise(3))
    np.testing.assert_array_equal(other.step(np.zeros(160, np.float32)), 0)


def test_two_threads_agree_with_one(both: Path) -> None:
    one, two = Session.open(both, "litert"), Session.open(both, "litert", threads=2)
    np.testing.assert_array_equal(stream(one, noise(9)), stream(two, noise(9)))


def test_output_lives_for_two_steps(both: Path) -> None:
    session = Session.open(both, "litert")
    first = session.step(noise(1))
    second = session.step(noise(1, seed=1))
    assert first is not second
    assert session.step(noise(1, seed=2)) is first


def test_step_allocates_nothing(tmp_path: Path) -> None:
    session = Session.open(write_mini(tmp_path / "a.evc", ("tflite",), hop=16000))
    hop = noise(1, 16000)
    for _ in range(10):
        session.step(hop)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(1000):
            session.step(hop)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < hop.nbytes / 2
    assert peak - before < hop.nbytes / 2


def test_a_view_keeps_its_memory() -> None:
    """What is left of an engine may be used after it: it must not point into freed memory."""
    engine = open_tflite(leaky_tflite(4096, {"first": (1, 1, 1, 4096)}, 0.5, ordered=True), 4096,
                         {"first": (1, 1, 1, 4096)})  # fmt: skip
    left, result = engine.input, engine.run()
    owner = engine._invoke.__self__
    held = sys.getrefcount(owner)
    del engine
    gc.collect()
    assert sys.getrefcount(owner) < held  # the engine is gone, the interpreter is not
    left.fill(3.0)
    assert left.sum() == 3 * 4096
    np.testing.assert_array_equal(result, 0)


def test_denormals_are_flushed() -> None:
    """Arithmetic on them is slow on many processors, and states decay to them in silence."""
    engine = open_tflite(leaky_tflite(16, {"first": (1, 1, 1, 16)}, 0.5, ordered=True), 16,
                         {"first": (1, 1, 1, 16)})  # fmt: skip
    engine.input.fill(1.0)
    engine.run()
    engine.input.fill(0.0)
    values = [float(engine.run()[0]) for _ in range(160)]
    tiny = float(np.finfo(np.float32).tiny)
    assert values[100] == 2.0**-101
    assert not [value for value in values if 0 < value < tiny]
    assert values[-1] == 0


def test_nothing_is_said(both: Path) -> None:
    script = (
        "import sys; from edge_vc_runtime import Session;"
        "Session.open(sys.argv[1], 'litert'); print('kept', file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, str(both)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"kept\n")
    closed = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *command], timeout=60)
    assert closed.returncode in (0, 1)  # print fails there, opening does not
    command[2] = script.replace("print('kept', file=sys.stderr)", "0")
    assert subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *command]).returncode == 0


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (b"", "not such a file"),
        (b"not a model", "not such a file"),
        (delay_model(160, 160, 1.0), "not such a file"),
        (delay_tflite(160, 160, 1.0)[:1000], "leads out of the file"),
        (delay_tflite(80, 160, 1.0), r"audio is float32 \[1, 1, 1, 80\], the manifest says float"),
        (delay_tflite(160, 80, 1.0), r"state.line is float32 \[1, 1, 1, 80\]"),
        (dense_tflite(160, np.eye(160, dtype=np.float32)), "state.count is only in the manifest"),
    ],
    ids=["empty", "text", "onnx", "truncated", "hop", "shape", "stateless"],
)
def test_file_that_is_not_what_it_should_be(tmp_path: Path, data: bytes, fact: str) -> None:
    manifest, files = mini_contents(formats=("tflite",))
    files["model.fp32.tflite"] = data
    bundle = write_bundle(tmp_path / "a.evc", listed(manifest, files), files)
    with pytest.raises(EngineError, match=rf"^model\.fp32\.tflite: .*{fact}") as error:
        Session.open(bundle)
    assert "\n" not in str(error.value)


def test_state_that_is_handed_through_is_refused() -> None:
    """Copies happen in place: the second would read what the first has overwritten."""
    graph = TfliteWriter()
    for name in ("audio", "state.a", "audio_out"):
        graph.value(name, (1, 1, 1, 8))
    graph.operator("ADD", ["audio", "state.a"], ["audio_out"], schema.AddOptionsT())
    data = graph.to_bytes(["audio", "state.a"], ["audio_out", "audio"], {"audio": "next.a"})
    with pytest.raises(EngineError, match=r"next\.a is an input too; export it with a copy"):
        open_tflite(data, 8, {"a": (1, 1, 1, 8)})


def test_library_that_is_too_old() -> None:
    data = leaky_tflite(16, STATES, 0.9, ordered=True)
    with pytest.raises(EngineError, match=r"toy needs ai-edge-litert 99\.1, .* pip install"):
        open_tflite(data, 16, STATES, runtimes={"ai-edge-litert": "99.1"})
    open_tflite(data, 16, STATES, runtimes={"tflite-runtime": "99", "onnxruntime": "99"})


@pytest.mark.parametrize("scales", [[0.01], np.linspace(0.01, 0.02, 16)], ids=["one", "per row"])
def test_dynamic_layers_are_refused_by_tflite_runtime(
    scales: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = np.random.default_rng(0).integers(-127, 128, (16, 16)).astype(np.int8)
    data = dense_tflite(16, weights, scales)
    open_tflite(data, 16)
    ancestor = Library(ANCESTOR, "2.14.0", load_library().interpreter)
    monkeypatch.setattr(
        "edge_vc_runtime.engines.litert_engine.engine.load_library", lambda: ancestor
    )
    with pytest.raises(EngineError, match=r"^model\.fp32\.tflite: .*FULLY_CONNECTED 'audio_out'"):
        open_tflite(data, 16)
    open_tflite(dense_tflite(16, weights.astype(np.float32)), 16)


def test_tflite_runtime_needs_an_old_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {ANCESTOR: "2.14.0"}
    monkeypatch.setattr(litert_library, "distribution_version", versions.get)
    monkeypatch.setattr(litert_library.np, "__version__", "2.0.1")
    with pytest.raises(EngineError, match=r"needs numpy below 2, 2\.0\.1 .* 'numpy<2'"):
        load_library.__wrapped__()


def test_neither_library(both: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litert_library, "distribution_version", lambda name: None)
    load_library.cache_clear()
    with pytest.raises(EngineError, match=r"pip install 'edge-vc-runtime\[litert\]'"):
        Session.open(both, "litert")


def test_model_that_the_library_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = TfliteWriter()
    graph.value("audio", (1, 1, 1, 8))
    graph.value("audio_out", (1, 1, 1, 8))
    graph.constant("one", np.ones((1, 1, 1, 1), np.float32))
    graph.operator("ADD", ["audio", "one"], ["audio_out"], schema.AddOptionsT())
    graph._codes[-1].version = 99
    data = graph.to_bytes(["audio"], ["audio_out"])
    with pytest.raises(EngineError, match=r"^model.*: ai-edge-litert .* refuses it: ") as error:
        open_tflite(data, 8)
    assert "\n" not in str(error.value)


def test_time_by_kind_of_operator() -> None:
    data = leaky_tflite(16, STATES, 0.9, ordered=True)
    kinds = Counter(operator.kind.name for operator in read_graph(data).operators)
    found = op_times(data, 1)
    assert found is not None
    counted = {op.op: op.nodes for op in found}
    assert counted.pop(BETWEEN) == 0
    assert counted == kinds
    assert sum(op.share for op in found) == pytest.approx(1)
    assert all(op.us_per_hop >= 0 for op in found)
    assert [op.us_per_hop for op in found] == sorted((op.us_per_hop for op in found), reverse=True)


def test_tflite_runtime_tells_no_times(monkeypatch: pytest.MonkeyPatch) -> None:
    ancestor = Library(ANCESTOR, "2.14.0", load_library().interpreter)
    monkeypatch.setattr(
        "edge_vc_runtime.engines.litert_engine.profile.load_library", lambda: ancestor
    )
    assert op_times(leaky_tflite(16, STATES, 0.9, ordered=True), 1) is None

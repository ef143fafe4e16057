"""A session is a pure stream: hop in, hop out, nothing allocated, nothing forgotten."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from runtime_bundles import delay_model, listed, mini_contents, write_bundle, write_mini

from edge_vc_runtime import engines
from edge_vc_runtime.bundle.reader import BundleError, read_bundle
from edge_vc_runtime.engines import EngineError
from edge_vc_runtime.session import STATE_EVERY, Session

NANO = Path(__file__).parents[2] / "edge_vc/assets/kathleen-nano.evc"


def stream(session: Session, audio: np.ndarray) -> np.ndarray:
    hops = audio.reshape(-1, session.hop)
    return np.concatenate([session.step(hop).copy() for hop in hops])


def noise(hops: int, hop: int = 160, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.2, hops * hop).astype(np.float32)


@pytest.mark.parametrize("delay", [1, 80, 160, 400])
def test_state_goes_round(tmp_path: Path, delay: int) -> None:
    session = Session.open(write_mini(tmp_path / "a.evc", delay=delay))
    audio = noise(60)
    late = stream(session, audio)
    np.testing.assert_array_equal(late[delay:], audio[:-delay])
    np.testing.assert_array_equal(late[:delay], 0)
    assert (session.hop, session.sample_rate, session.delay) == (160, 16000, delay)


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_reset_is_silence(mini: Path, hops: int) -> None:
    session = Session.open(mini)
    first = stream(session, noise(7))
    stream(session, noise(hops, seed=1))
    session.reset()
    np.testing.assert_array_equal(stream(session, noise(7)), first)


def test_precision_chooses_the_model(mini: Path) -> None:
    whole, half = Session.open(mini), Session.open(mini, precision="int8")
    assert (whole.model.precision, half.model.precision) == ("fp32", "int8")
    np.testing.assert_allclose(stream(half, noise(5)), stream(whole, noise(5)) / 2, rtol=1e-6)
    with pytest.raises(BundleError, match="has no fp16 model, only int8"):
        Session.open(mini, precision="fp16")


def test_two_sessions_do_not_share_state(mini: Path) -> None:
    bundle = read_bundle(mini)
    one, other = Session.open(bundle), Session.open(bundle)
    stream(one, noise(3))
    np.testing.assert_array_equal(other.step(np.zeros(160, np.float32)), 0)


def test_output_lives_for_two_steps(mini: Path) -> None:
    session = Session.open(mini)
    first = session.step(noise(1))
    second = session.step(noise(1, seed=1))
    assert first is not second
    assert session.step(noise(1, seed=2)) is first


def test_step_allocates_nothing(tmp_path: Path) -> None:
    """With a hop of 64 kB, an array made on the way would stand out from the engine's own bytes."""
    session = Session.open(write_mini(tmp_path / "a.evc", hop=16000))
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


@pytest.mark.parametrize(
    "wrong",
    [np.zeros(159, np.float32), np.zeros((1, 160), np.float32), np.zeros(160), np.zeros(160, "i2")],
    ids=["short", "matrix", "float64", "int16"],
)
def test_wrong_hop_is_refused(mini: Path, wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"step takes float32 \[160\], got "):
        Session.open(mini).step(wrong)


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_poison_becomes_silence(mini: Path, poison: float) -> None:
    session = Session.open(mini)
    bad = noise(1)
    bad[7] = poison
    session.step(bad)
    np.testing.assert_array_equal(session.step(noise(1)), 0)
    assert session.silenced == 1
    session.reset()
    assert session.silenced == 0


@pytest.mark.parametrize("threads", [0, -1, 65])
def test_threads_have_a_range(mini: Path, threads: int) -> None:
    with pytest.raises(EngineError, match=f"threads is {threads}, it has to be 1 to 64"):
        Session.open(mini, threads=threads)


def test_two_threads_agree_with_one(mini: Path) -> None:
    one, two = Session.open(mini), Session.open(mini, threads=2)
    np.testing.assert_array_equal(stream(one, noise(9)), stream(two, noise(9)))


def test_unknown_engine(mini: Path) -> None:
    with pytest.raises(EngineError, match="no engine 'cuda', choose from auto, litert, onnx"):
        Session.open(mini, engine="cuda")
    assert Session.open(mini, engine="onnx").engine[0] == "onnx"


def test_missing_engine_names_the_install_line(mini: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> engines.EngineFactory:
        raise ModuleNotFoundError("No module named 'onnxruntime'", name="onnxruntime")

    monkeypatch.setitem(engines.ENGINES, "onnx", replace(engines.ENGINES["onnx"], load=absent))
    for engine in ("auto", "onnx"):
        with pytest.raises(EngineError, match=r"pip install 'edge-vc-runtime\[onnx\]'"):
            Session.open(mini, engine=engine)


def rewritten(path: Path, model: bytes | None = None, **changes: object) -> Path:
    manifest, files = mini_contents()
    if model is not None:
        files["model.fp32.onnx"] = model
    manifest = replace(listed(manifest, files), **changes)
    return write_bundle(path, manifest, files)


def test_graph_that_disagrees_with_its_manifest(tmp_path: Path) -> None:
    other = rewritten(tmp_path / "a.evc", delay_model(hop=80, delay=160, gain=1.0))
    with pytest.raises(EngineError, match=r"audio is tensor\(float\) \[1, 1, 1, 80\]"):
        Session.open(other)
    stateless = rewritten(tmp_path / "b.evc", states=())
    with pytest.raises(EngineError, match=r"state\.count is only in the graph"):
        Session.open(stateless)


def test_not_a_model(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bad = rewritten(tmp_path / "a.evc", b"not a model")
    with pytest.raises(EngineError, match=r"model\.fp32\.onnx: onnxruntime .* refuses it") as error:
        Session.open(bad)
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""


def test_runtime_too_old(tmp_path: Path) -> None:
    young = rewritten(tmp_path / "a.evc", runtimes={"onnxruntime": "99.1"})
    with pytest.raises(EngineError, match=r"needs onnxruntime 99\.1, .* pip install"):
        Session.open(young)


def loud(peak: float) -> np.ndarray:
    hop = noise(1)
    hop[[3, 9]] = peak, -peak
    return hop


@pytest.mark.parametrize("peak", [1.5, 40.0, 1e18])
def test_samples_beyond_full_scale_are_clamped_and_counted(mini: Path, peak: float) -> None:
    session, clean = Session.open(mini), Session.open(mini)
    for given, wanted in ((loud(peak), loud(1.0)), (noise(1), noise(1))):
        np.testing.assert_array_equal(session.step(given), clean.step(wanted))
    assert (session.clipped, clean.clipped, session.silenced) == (2, 0, 0)
    session.reset()
    assert session.clipped == 0


@pytest.mark.parametrize("peak", [1e25, 3e38])
def test_a_sample_that_cannot_be_squared_is_silence(mini: Path, peak: float) -> None:
    session = Session.open(mini)
    session.step(loud(peak))
    np.testing.assert_array_equal(session.step(noise(1)), 0)
    assert session.silenced == 1


@pytest.mark.parametrize("engine", ["litert", "onnx"])
@pytest.mark.parametrize("peak", [1.0, 1e6, 1e18])
def test_one_impossible_sample_is_forgotten(engine: str, peak: float) -> None:
    """Of a shipped student, behind which one sample of 1e18 stayed for ever or for seconds."""
    session, usual = (Session.open(NANO, engine=engine) for _ in range(2))
    click = np.zeros(session.hop, np.float32)
    click[5] = peak
    for _ in range(50):
        session.step(np.zeros_like(click)), usual.step(np.zeros_like(click))
    session.step(click)
    usual.step(np.clip(click, -1, 1))
    speech = np.random.default_rng(3).standard_normal((100, session.hop)).astype(np.float32) * 0.05
    for hop in speech:
        np.testing.assert_array_equal(session.step(hop), usual.step(hop))


@pytest.mark.parametrize("engine", ["litert", "onnx"])
def test_a_state_that_is_not_finite_begins_anew(engine: str) -> None:
    session, fresh = Session.open(NANO, engine=engine), Session.open(NANO, engine=engine)
    hop = np.full(session.hop, 0.05, np.float32)
    session.step(hop)
    states = session._engine.states  # type: ignore[attr-defined]
    for index, state in enumerate(states):
        state[index % state.size] = (np.nan, np.inf, -np.inf)[index % 3]
    steps = 0
    while not session.restarts and steps <= STATE_EVERY * len(states):
        assert np.isfinite(session.step(hop)).all()
        steps += 1
    assert session.restarts == 1
    for _ in range(5):
        np.testing.assert_array_equal(session.step(hop), fresh.step(hop))

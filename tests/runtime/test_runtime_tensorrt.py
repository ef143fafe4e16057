"""The engine for NVIDIA GPUs: its code run with the CPU as its device, and when it is chosen.

No GPU is at hand: speed, and values on one, were not measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from runtime_bundles import write_mini

from edge_vc.assets import bundle_path
from edge_vc_runtime import engines
from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.engines import Engine, EngineError, EngineLibrary
from edge_vc_runtime.engines.measurement import EngineTiming, blank_measurement, save_measurement
from edge_vc_runtime.engines.onnx_engine.engine import OnnxEngine
from edge_vc_runtime.engines.tensorrt_engine.engine import TensorrtEngine
from edge_vc_runtime.engines.tensorrt_engine.providers import PROVIDER, gpu_providers
from edge_vc_runtime.golden import replay_golden
from edge_vc_runtime.profiling.comparison import compare_engines
from edge_vc_runtime.session import Session

PI = "Raspberry Pi 4 Model B Rev 1.5"
CPU = [("CPUExecutionProvider", {})]


def on_cpu(*arguments: object) -> TensorrtEngine:
    return TensorrtEngine(*arguments, CPU, "cpu")  # type: ignore[arg-type]


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine loads, as where there is a GPU; its device is the CPU."""
    library = EngineLibrary("onnxruntime-gpu", find_version=lambda name: "1.0")
    kind = replace(engines.ENGINES["tensorrt"], load=lambda: on_cpu, libraries=(library,))
    monkeypatch.setitem(engines.ENGINES, "tensorrt", kind)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for kind in ("CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    return tmp_path


def opened(bundle: Bundle, make: Callable[..., Engine]) -> Engine:
    model = bundle.manifest.model("fp32", ("onnx",))
    return make(bundle.manifest, model, bundle.read(model.file), 1)


def played(engine: Engine, hops: np.ndarray) -> np.ndarray:
    made = []
    for hop in hops:
        engine.input[:] = hop
        made.append(engine.run().copy())
    return np.stack(made)


def test_states_that_stay_on_the_device_give_the_same_sound_over_a_long_run() -> None:
    bundle = read_bundle(bundle_path("kathleen-nano"))
    hop = bundle.manifest.hop
    rng = np.random.default_rng(0)
    hops = rng.normal(0, 0.1, (300, hop)).astype(np.float32)
    engine, reference = opened(bundle, on_cpu), opened(bundle, OnnxEngine)
    first = played(engine, hops)
    np.testing.assert_allclose(first, played(reference, hops), atol=1e-5)
    assert not np.allclose(first, played(engine, hops), atol=1e-5)  # it has heard something
    engine.reset()
    np.testing.assert_array_equal(first, played(engine, hops))


def test_an_output_stays_until_two_calls_later(tmp_path: Path) -> None:
    engine = opened(read_bundle(write_mini(tmp_path / "mini.evc")), on_cpu)
    outputs = []
    for level in (0.1, 0.2, 0.3):
        engine.input[:] = level
        outputs.append(engine.run())
    assert outputs[0] is outputs[2]
    assert not np.array_equal(outputs[0], outputs[1])


def test_without_the_provider_the_remedy_is_named() -> None:
    with pytest.raises(EngineError, match=f"needs {PROVIDER}.*install onnxruntime-gpu"):
        engines.load_engine("tensorrt")


def test_a_provider_that_is_left_out_in_silence_is_an_error(tmp_path: Path) -> None:
    bundle = read_bundle(write_mini(tmp_path / "mini.evc"))
    model = bundle.manifest.model("fp32", ("onnx",))
    providers = [("CUDAExecutionProvider", {}), *CPU]
    data = bundle.read(model.file)
    with (
        pytest.warns(UserWarning, match="CUDAExecutionProvider"),
        pytest.raises(EngineError, match="CUDAExecutionProvider does not load, only CPUExec"),
    ):
        TensorrtEngine(bundle.manifest, model, data, 1, providers, "cpu")


def test_an_int8_model_is_refused_and_never_tried(tmp_path: Path, gpu: None) -> None:
    bundle = read_bundle(write_mini(tmp_path / "mini.evc"))
    with pytest.raises(EngineError, match="runs fp32 only"):
        Session.open(bundle, "tensorrt", precision="int8")
    replays = [replay for replay in replay_golden(bundle) if replay.engine == "tensorrt"]
    assert [replay.precision for replay in replays] == ["fp32"]
    assert replays[0].equal
    measured, refused = compare_engines(bundle, seconds=0.01)
    assert ("tensorrt", "fp32") in {(each.engine, each.precision) for each in measured.timings}
    assert not refused


def remember(path: Path, **us_per_hop: float) -> None:
    made = blank_measurement(read_bundle(path).manifest, 1)
    times = [EngineTiming(name, "library", "1.0", "fp32", us) for name, us in us_per_hop.items()]
    save_measurement(replace(made, timings=tuple(times)))


@pytest.mark.parametrize("model", ["", PI], ids=["unknown", "pi4"])
def test_auto_takes_it_only_where_it_was_measured_to_be_faster(
    model: str, home: Path, gpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_mini(home / "mini.evc", ("onnx", "tflite"))
    if model:
        place = home / "root/proc/device-tree/model"
        place.parent.mkdir(parents=True)
        place.write_text(f"{model}\0")
        known = engines.selection.known_board  # type: ignore[attr-defined]
        monkeypatch.setattr("edge_vc_runtime.session.known_board", lambda: known(home / "root"))
    assert Session.open(path, "auto", 1).selection.engine == "litert"
    remember(path, litert=50.0, tensorrt=80.0)
    assert Session.open(path, "auto", 1).selection.engine == "litert"
    remember(path, litert=50.0, tensorrt=20.0)
    taken = Session.open(path, "auto", 1).selection
    assert (taken.engine, taken.precision) == ("tensorrt", "fp32")
    assert taken.reason.startswith("fastest of 2 measured here on ")
    assert Session.open(path, "auto", 2).selection.engine == "litert"  # measured with one thread


def test_what_tensorrt_builds_is_kept_for_this_user_alone(home: Path) -> None:
    (_, options), _ = gpu_providers()
    folder = Path(options["trt_engine_cache_path"])
    assert folder == home / "cache/edge-vc/tensorrt"
    assert folder.stat().st_mode & 0o077 == 0
    (home / "cache/edge-vc").rename(home / "moved")
    (home / "cache/edge-vc").touch()
    with pytest.raises(EngineError, match="TensorRT keeps its engines there"):
        gpu_providers()

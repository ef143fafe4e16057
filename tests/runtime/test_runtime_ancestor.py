"""tflite-runtime 2.14 for real, in an environment of its own: it needs numpy 1 and Python 3.11."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from runtime_bundles import listed, mini_contents, write_bundle
from runtime_installs import NO_INDEX
from runtime_tflite import delay_tflite, dense_tflite, leaky_tflite
from test_runtime_tflite_reader import layered, mutated

from edge_vc_runtime.live.offline import convert_array
from edge_vc_runtime.session import Session

pytestmark = pytest.mark.slow

PINS = ("tflite-runtime==2.14.0", "numpy==1.26.4")
NEWEST = (3, 11)
RAW = """
import json, sys
import numpy as np
from tflite_runtime.interpreter import Interpreter

answers = []
for file in sys.argv[1:]:
    interpreter = Interpreter(model_path=file)
    interpreter.allocate_tensors()
    heard = interpreter.get_input_details()[0]["index"]
    interpreter.set_tensor(heard, np.linspace(-1, 1, 16, dtype=np.float32).reshape(1, 1, 1, 16))
    interpreter.invoke()
    made = interpreter.get_output_details()[0]["index"]
    answers.append(interpreter.get_tensor(made).ravel().tolist())
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def ancestor(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the runtime wheel and tflite-runtime."""
    python = sys.executable if sys.version_info[:2] <= NEWEST else shutil.which("python3.11")
    if python is None:
        pytest.skip("tflite-runtime has no wheel for this Python, and there is no python3.11")
    folder = tmp_path_factory.mktemp("ancestor")
    subprocess.run([python, "-m", "venv", str(folder)], check=True, timeout=120)
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *PINS]
    command.append(f"{wheels['edge_vc_runtime']}[tflite-runtime]")
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode and NO_INDEX.search(done.stderr):
        pytest.skip("no package index within reach, or no tflite-runtime for this machine")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def rt(ancestor: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(ancestor / "edge-vc-rt"), *map(str, arguments)]
    environment = {"HOME": str(ancestor), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)


def replayed(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stdout.splitlines() if line.startswith("golden")]


def test_golden_of_a_toy(ancestor: Path, both: Path) -> None:
    done = rt(ancestor, "inspect", both, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    for line, precision in zip(replayed(done), ("fp32", "int8"), strict=True):
        assert line.startswith(f"golden {precision} litert (tflite-runtime 2.14.0): equal, at most")
    assert "engine litert (tflite-runtime 2.14.0), fp32" in done.stdout


@pytest.mark.parametrize("name", ["kathleen-base", "kathleen-nano"])
def test_golden_of_a_shipped_bundle(ancestor: Path, project_root: Path, name: str) -> None:
    """Its INT8 kernels round otherwise than the exporter's: near, not bit by bit."""
    done = rt(ancestor, "inspect", project_root / "edge_vc" / "assets" / f"{name}.evc", "--check")
    assert (done.returncode, done.stderr) == (0, "")
    exact, rounded = replayed(done)
    assert exact.startswith("golden fp32 litert (tflite-runtime 2.14.0): equal")
    assert rounded.startswith("golden int8 litert (tflite-runtime 2.14.0): equal")
    snr = re.search(r"([\d.]+) dB", rounded)
    assert snr
    assert float(snr[1]) > 30


@pytest.mark.parametrize(("precision", "least_db"), [("fp32", 60.0), ("int8", 30.0)])
def test_half_a_minute_of_speech(
    ancestor: Path, project_root: Path, tmp_path: Path, precision: str, least_db: float
) -> None:
    """As ONNX Runtime here; 16-bit files hold no more than some 70 dB of it."""
    from edge_vc.audio.distance import snr_db
    from edge_vc_export.parity.speech import example_speech

    bundle = project_root / "edge_vc" / "assets" / "kathleen-base.evc"
    session = Session.open(bundle, "onnx", precision=precision)
    heard, made = tmp_path / "heard.wav", tmp_path / "made.wav"
    speech = example_speech(30.0, session.sample_rate)
    soundfile.write(heard, speech, session.sample_rate, subtype="PCM_16")
    done = rt(ancestor, "run", bundle, heard, made, "--engine", "litert", "--precision", precision)
    assert done.returncode == 0, done.stderr
    expected = convert_array(session, soundfile.read(heard, dtype="float32")[0])
    answer = soundfile.read(made, dtype="float32")[0]
    assert snr_db(expected, answer) > least_db
    if precision == "fp32":
        assert np.abs(expected - answer).max() <= 1e-4


def test_a_measurement(ancestor: Path, both: Path) -> None:
    done = rt(ancestor, "choose", both, "--seconds", "0.05")
    assert (done.returncode, done.stderr) == (0, "")
    assert "litert (tflite-runtime 2.14.0)" in done.stdout
    assert "onnx     fp32        cannot run: engine onnx needs onnxruntime" in done.stdout


def test_state_over_many_hops(ancestor: Path, tmp_path: Path) -> None:
    """A thousand hops through four states, against this environment's library."""
    states = {"first": (1, 1, 1, 16), "second": (1, 3, 5, 1), "third": (1, 1, 1, 1)}
    file, heard = tmp_path / "leaky.tflite", tmp_path / "heard.npy"
    file.write_bytes(leaky_tflite(16, states, 0.9, ordered=False))
    audio = np.random.default_rng(1).normal(size=(1000, 16)).astype(np.float32)
    np.save(heard, audio)
    script = f"""
import sys
from dataclasses import replace
import numpy as np
from edge_vc_runtime.engines.litert_engine.engine import LitertEngine
from edge_vc_runtime.bundle.entries import (ModelEntry, StateSpec)
from edge_vc_runtime.bundle.manifest import (Manifest)
model = ModelEntry("leaky.tflite", "tflite", "fp32", "nano", 1, 1.0)
states = tuple(StateSpec(*state) for state in {list(states.items())!r})
manifest = Manifest("toy", "0.1.0", 16000, 16, 0, states, (model,), model.file, {{}}, "-", "-")
engine = LitertEngine(manifest, model, open(sys.argv[1], "rb").read(), 1)
made = []
for hop in np.load(sys.argv[2]):
    engine.input[:] = hop
    made.append(engine.run().copy())
np.save(sys.argv[3], made)
"""
    command = [str(ancestor / "python"), "-c", script, str(file), str(heard)]
    subprocess.run([*command, str(tmp_path / "made.npy")], check=True, timeout=120)
    expected, made = np.zeros(16, np.float32), np.load(tmp_path / "made.npy")
    for hop, answer in zip(audio, made, strict=True):
        expected = np.float32(0.9) * expected + hop
        np.testing.assert_allclose(answer, expected, rtol=1e-6, atol=1e-6)


def dense_weights() -> tuple[np.ndarray, np.ndarray]:
    weights = np.random.default_rng(0).integers(-127, 128, (16, 16)).astype(np.int8)
    return weights, np.linspace(0.01, 0.02, 16, dtype=np.float32)


def test_dynamic_layers_are_refused(ancestor: Path, tmp_path: Path) -> None:
    manifest, _ = mini_contents(hop=16, formats=("tflite",))
    files = {f"model.{p}.tflite": dense_tflite(16, *dense_weights()) for p in ("int8", "fp32")}
    manifest = replace(listed(manifest, files), states=(), golden=None)
    bundle = write_bundle(tmp_path / "dynamic.evc", manifest, files)
    done = rt(ancestor, "profile", bundle, "--seconds", "0.1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "model.fp32.tflite: tflite-runtime gets FULLY_CONNECTED 'audio_out' wrong" in done.stderr
    assert "pip install ai-edge-litert" in done.stderr
    assert done.stderr.count("\n") == 1


def test_they_really_are_wrong_there(ancestor: Path, tmp_path: Path) -> None:
    """The day this fails, the refusal can go."""
    weights, scales = dense_weights()
    files = [tmp_path / "float.tflite", tmp_path / "dynamic.tflite"]
    files[0].write_bytes(dense_tflite(16, weights * scales[:, None]))
    files[1].write_bytes(dense_tflite(16, weights, scales))
    command = [str(ancestor / "python"), "-c", RAW, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    exact, dynamic = (np.array(answer) for answer in json.loads(done.stdout))
    assert np.square(exact - dynamic).sum() > 0.5 * np.square(exact).sum()  # under 3 dB


@pytest.mark.parametrize("data", [delay_tflite(16, 8, 1.0), layered()], ids=["delay", "layered"])
def test_what_passes_does_not_crash_it(ancestor: Path, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(data)
    found = mutated(ancestor / "python", file, 300)
    assert "crashed" not in found
    assert found["ran"] > 10

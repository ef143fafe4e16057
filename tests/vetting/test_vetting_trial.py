"""A bundle that has not run here is opened in a process with limits first, then remembered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from runtime_bundles import write_mini
from runtime_engine import PLAIN

from edge_vc.assets import bundle_path
from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.engines import EngineError, register_engine, unregister_engine
from edge_vc_runtime.engines.admission import UnsafeBundleError
from edge_vc_runtime.engines.kind import EngineKind
from edge_vc_runtime.engines.registry import engine_kind
from edge_vc_runtime.session import Session
from edge_vc_runtime.trust import machine_policy
from edge_vc_runtime.vetting import admission
from edge_vc_runtime.vetting.memory import Trial, remember, remembers
from edge_vc_runtime.vetting.trial_process import try_model


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A good bundle with both formats."""
    return read_bundle(write_mini(tmp_path / "mini.evc", ("onnx", "tflite")))


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files that were tried, without a process."""
    seen: list[str] = []
    monkeypatch.setattr(
        admission, "try_model", lambda bundle, kind, model: seen.append(f"{kind.name} {model.file}")
    )
    return seen


def test_what_passed_once_is_not_tried_again(
    bundle: Bundle, state: Path, trials: list[str]
) -> None:
    for _ in range(3):
        Session.open(bundle, "onnx")
    assert trials == ["onnx model.fp32.onnx"]
    Session.open(bundle, "onnx", precision="int8")
    Session.open(bundle, "litert")
    assert trials[1:] == ["onnx model.int8.onnx", "litert model.fp32.tflite"]
    assert len(list((state / "trials").iterdir())) == 3


def test_another_bundle_or_library_is_tried(
    bundle: Bundle,
    state: Path,
    tmp_path: Path,
    trials: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind, model = engine_kind("onnx"), bundle.manifest.model()
    trial = Trial.of(bundle, kind, model)
    remember(trial)
    assert remembers(trial)
    assert not remembers(replace(trial, libraries=(("onnxruntime", "99"),)))
    assert not remembers(replace(trial, runtime="99"))
    assert not remembers(replace(trial, engine="litert"))
    other = read_bundle(write_mini(tmp_path / "other.evc", ("onnx",), delay=80))
    assert not remembers(Trial.of(other, kind, model))
    newer = SimpleNamespace(library="onnxruntime", version="99")
    monkeypatch.setattr(EngineKind, "installed", lambda _: (newer,))
    assert not remembers(Trial.of(bundle, kind, model))


def test_where_nothing_can_be_kept_it_is_tried_each_time(
    bundle: Bundle, state: Path, trials: list[str]
) -> None:
    state.parent.mkdir(parents=True)
    state.write_text("a file where the folder belongs")
    for _ in range(2):
        Session.open(bundle, "onnx")
    assert len(trials) == 2


def test_the_policy_can_allow_unseen_bundles(
    bundle: Bundle, state: Path, trials: list[str]
) -> None:
    assert machine_policy().unseen == "try"
    policy = Path(os.environ["XDG_CONFIG_HOME"]) / "edge-vc" / "trust.json"
    policy.parent.mkdir(parents=True)
    policy.write_text('{"unseen": "allow"}')
    assert (machine_policy().unseen, machine_policy().unsigned) == ("allow", "allow")
    Session.open(bundle, "onnx")
    assert trials == []


def test_shipped_bundles_and_own_engines_are_not_tried(
    bundle: Bundle, state: Path, trials: list[str]
) -> None:
    Session.open(bundle_path("kathleen-nano"), "onnx")
    register_engine(PLAIN)
    try:
        Session.open(bundle, "plain")
    finally:
        unregister_engine("plain")
    assert trials == []


def test_a_copy_of_a_shipped_bundle_is_tried(
    state: Path, tmp_path: Path, trials: list[str]
) -> None:
    copy = tmp_path / "kathleen-nano.evc"
    copy.write_bytes(bundle_path("kathleen-nano").read_bytes())
    Session.open(copy, "onnx")
    assert trials == ["onnx model.int8.onnx"]


def test_a_good_bundle_passes_in_a_real_process(bundle: Bundle, state: Path) -> None:
    for engine in ("onnx", "litert"):
        kind = engine_kind(engine)
        try_model(bundle, kind, bundle.manifest.model(formats=kind.formats))


def test_the_process_reads_the_file_that_was_opened(
    bundle: Bundle, state: Path, tmp_path: Path
) -> None:
    """Something else lies at the path by now."""
    bundle.path.unlink()
    bundle.path.write_bytes(b"something else")
    try_model(bundle, engine_kind("onnx"), bundle.manifest.model())


def fake(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> None:
    """Put another program in the place of the process."""
    script = folder / "python"
    script.write_text(f"#!{sys.executable}\nimport os, signal, sys, time\n{body}\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


READY = "os.write(1, b'ready 0.2\\n')\n"


@pytest.mark.parametrize(
    ("body", "kind", "fact"),
    [
        (READY + "os.kill(os.getpid(), signal.SIGSEGV)", UnsafeBundleError, "(SIGSEGV)"),
        (READY + "os.abort()", UnsafeBundleError, "crashes the engine (SIGABRT)"),
        (READY + "time.sleep(60)", UnsafeBundleError, "takes too long"),
        (READY + "signal.setitimer(signal.ITIMER_PROF, 0.01)\nwhile 1: pass", UnsafeBundleError,
         "takes too long"),
        (READY + "os._exit(7)", UnsafeBundleError, "exit code 7"),
        (READY + "os.write(1, b'x' * 5000)", EngineError, "model.fp32.onnx: xxx"),
        (READY + "os.write(1, b'refused \\x1b[31m\\n')", EngineError, "\\x1b[31m"),
        ("os._exit(1)", EngineError, "did not load"),
    ],
    ids=["segv", "abort", "sleeps", "spins", "exits", "floods", "refuses", "no library"],
)  # fmt: skip
def test_what_goes_wrong_in_the_process_is_one_line(
    bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: str,
    kind: type[Exception],
    fact: str,
) -> None:
    fake(monkeypatch, tmp_path, body)
    with pytest.raises(kind) as caught:
        try_model(bundle, engine_kind("onnx"), bundle.manifest.model())
    line = str(caught.value)
    assert fact in line
    assert line.isprintable()
    assert len(line) < 1500
    assert line.startswith(f"{bundle.path}: ")


def test_a_crash_is_not_tried_with_another_engine_and_not_remembered(
    bundle: Bundle, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(monkeypatch, tmp_path, READY + "os.abort()")
    for _ in range(2):
        with pytest.raises(UnsafeBundleError, match="SIGABRT"):
            Session.open(bundle)
    assert not (state / "trials").exists()


LIMITED = """
import sys
import numpy as np
from edge_vc_runtime.vetting.limits import apply_limits
apply_limits(1000, 0.3)
{body}
print("went on")
"""


@pytest.mark.parametrize(
    ("body", "end"),
    [
        ("np.ones(1 << 27)", "MemoryError"),
        ("while True: pass", f"-{signal.SIGPROF.value}"),
        ("open(sys.argv[1], 'wb', 0).write(b'x' * 9)", "File too large"),
        ("[open('/dev/null') for _ in range(100)]", "Too many open files"),
        ("np.ones(1 << 23)", "went on"),
    ],
    ids=["memory", "time", "writing", "files", "modest"],
)
def test_the_limits_hold(tmp_path: Path, body: str, end: str) -> None:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LIMITED.format(body=body), str(tmp_path / "file")],
        capture_output=True, text=True, env=environment, timeout=60, check=False,
    )  # fmt: skip
    assert end in f"{done.stdout} {done.stderr} {done.returncode}"
    written = tmp_path / "file"
    assert not written.exists() or written.stat().st_size == 0


def test_a_session_of_a_tried_bundle_converts(bundle: Bundle, state: Path) -> None:
    session = Session.open(bundle, "onnx")
    assert np.isfinite(session.step(np.ones(session.hop, np.float32))).all()


def test_a_bundle_that_is_replaced_is_still_the_one_that_was_opened(tmp_path: Path) -> None:
    """Two good bundles change places while one of them is open: neither is called damaged."""
    paths = [write_mini(tmp_path / f"{n}.evc", delay=160 - 80 * n) for n in range(2)]
    for turn in range(20):
        opened = read_bundle(paths[0])
        os.replace(paths[0], tmp_path / "aside")
        os.replace(paths[1], paths[0])
        os.replace(tmp_path / "aside", paths[1])
        for name, entry in opened.manifest.files.items():
            assert len(opened.read(name)) == entry.size
        assert opened.manifest.delay == (160, 80)[turn % 2]

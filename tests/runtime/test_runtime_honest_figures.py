"""Figures that too few samples give are left out, in every place that states one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from live_snapshots import snapshot
from runtime_bundles import write_mini

from edge_vc_runtime.cli import main
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.engines.selection import resolve_threads
from edge_vc_runtime.live.hop_times import HopTimes
from edge_vc_runtime.monitor.recorder import step_times
from edge_vc_runtime.monitor.status_line import status_line
from edge_vc_runtime.profiling.live_rows import _step
from edge_vc_runtime.profiling.machine import EMULATED, detect_environment
from edge_vc_runtime.profiling.profiler import ProfileOptions, profile
from edge_vc_runtime.profiling.report import Report
from edge_vc_runtime.profiling.table import plain_report
from edge_vc_runtime.profiling.timing import summarise

NEEDED = {"p90_ms": 10, "p95_ms": 20, "p99_ms": 100, "p999_ms": 1000}
"""How many hops each percentile takes."""
HOP_NS = 10_000_000


@pytest.mark.parametrize("count", [1, 9, 10, 19, 20, 99, 100, 999, 1000])
def test_a_percentile_takes_as_many_hops_as_it_takes_to_have_one_above_it(count: int) -> None:
    took = np.random.default_rng(0).integers(1_000_000, 2_000_000, count)
    made = summarise(took, HOP_NS, took)
    for name, needed in NEEDED.items():
        assert (getattr(made, name) is not None) == (count >= needed), name
    assert (made.wake_p99_ms is not None) == (count >= 100)
    assert (made.rtf is not None) == (count >= 100), "one second of audio"
    times = HopTimes(HOP_NS)
    for duration in took:
        times.record(int(duration))
    live = step_times(times)
    assert live is not None
    for name in ("p90_ms", "p99_ms"):
        assert (getattr(live, name) is not None) == (count >= NEEDED[name]), name
    assert (live.rtf is not None) == (count >= 100)
    assert ("RTF" in _step(live)) == (count >= 100)


@pytest.mark.parametrize("hops", [1, 99, 100])
def test_a_running_conversion_shows_none_of_its_first_hops(hops: int) -> None:
    now = replace(snapshot(), hops=hops, p99_ms=7.5, rtf=0.25)
    assert (now.tail_ms, now.load) == ((7.5, 0.25) if hops == 100 else (None, None))
    assert ("7.5" in status_line(now, 200, False)) == (hops == 100)


def test_a_short_recording_has_no_real_time_factor(
    mini: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for samples, long in ((1, False), (8000, False), (32000, True)):
        soundfile.write(tmp_path / "in.wav", np.full(samples, 0.1, np.float32), 16000)
        assert main(["run", str(mini), str(tmp_path / "in.wav"), str(tmp_path / "out.wav")]) == 0
        said = capsys.readouterr().err
        assert ("RTF" in said) == long
        assert ("p99" in said) == long


@pytest.fixture(scope="module")
def short(mini: Path) -> Report:
    options = ProfileOptions(seconds=0.1, warmup_hops=0, cold_start=False, ops=False)
    return profile(mini, options)


def test_a_short_profile_states_what_it_can(short: Report) -> None:
    text = plain_report(short)
    assert "p50 / p90 / max" in text
    for name in ("p95", "p99", "real-time factor", "Nodes by kind"):
        assert name not in text
    assert "(paced, max)" in text
    assert Report.from_json(short.to_json().encode()) == short


def test_only_nodes_that_were_asked_for_can_be_missing(short: Report) -> None:
    asked = replace(short, ops_missing="its library counts nothing")
    assert "its library counts nothing" in plain_report(asked)


@pytest.mark.parametrize("said", ["board", "estimated"])
def test_an_environment_that_is_not_here_is_refused(
    said: str, mini: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_vc_runtime.profiling.profiler.detect_environment", lambda *_: "host")
    assert main(["profile", str(mini), "--seconds", "0.1", "--environment", said]) == 2
    assert f"environment is {said}" in capsys.readouterr().err


def test_an_emulator_says_so(tmp_path: Path) -> None:
    model = tmp_path / "proc" / "device-tree" / "model"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    assert detect_environment(tmp_path, {}) == "board"
    assert detect_environment(tmp_path, {EMULATED: "1"}) == "emulated"


@pytest.mark.parametrize("verb", ["run", "profile", "choose"])
def test_more_threads_than_cores_are_refused(
    verb: str, mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert resolve_threads(2, None) == 2
    with pytest.raises(EngineError, match="this machine has 2"):
        resolve_threads(3, None)
    soundfile.write(tmp_path / "in.wav", np.zeros(1600, np.float32), 16000)
    files = [str(tmp_path / "in.wav"), str(tmp_path / "out.wav")] if verb == "run" else []
    bundle = write_mini(tmp_path / "both.evc", ("onnx", "tflite"))
    assert main([verb, str(bundle), "--threads", "64", *files]) == 2
    assert "threads is 64, this machine has 2" in capsys.readouterr().err

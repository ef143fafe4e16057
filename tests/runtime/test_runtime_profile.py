"""Profiles: one schema, every field there, numbers that agree with each other."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from runtime_bundles import listed, mini_contents, write_bundle, write_mini

from edge_vc_runtime.cli import main
from edge_vc_runtime.profiling import coldstart
from edge_vc_runtime.profiling.machine import detect_environment, read_machine
from edge_vc_runtime.profiling.pacing import run_paced
from edge_vc_runtime.profiling.picture import PictureError, write_png
from edge_vc_runtime.profiling.profiler import ProfileOptions, profile
from edge_vc_runtime.profiling.report import Report, report_schema
from edge_vc_runtime.profiling.table import plain_report
from edge_vc_runtime.profiling.timing import summarise
from edge_vc_runtime.schema.fields import FieldError
from edge_vc_runtime.sensors import read_sensors
from edge_vc_runtime.session import Session


@pytest.fixture(scope="module")
def made(mini: Path) -> Report:
    return profile(mini, ProfileOptions(seconds=0.3, warmup_hops=3))


def test_everything_is_there(made: Report, mini: Path) -> None:
    assert made.subject.bundle == "mini"
    assert made.subject.model_bytes > 0
    assert made.setup.input == "golden"
    assert made.environment in ("host", "board")
    assert made.tight is not None
    assert made.paced is not None
    assert (made.tight.hops, made.paced.hops) == (30, 30)
    assert made.latency.algorithmic_ms == 20.0
    assert made.latency.compute_ms == made.paced.max_ms
    assert made.latency.compute_percentile == "max"
    assert made.latency.buffer_ms is None
    assert made.latency.total_ms is None
    assert made.cold_start is not None
    cold = made.cold_start
    assert cold.total_ms == pytest.approx(cold.import_ms + cold.open_ms + cold.first_step_ms)
    assert made.memory is not None
    assert 10 < made.memory.rss_mb <= made.memory.peak_rss_mb
    assert made.ops is not None
    nodes = {op.op: op.nodes for op in made.ops}
    assert nodes["Concat"] == 1
    assert sum(op.share for op in made.ops) == pytest.approx(1)
    assert made.machine.cores >= len(made.machine.affinity) >= 1


def test_percentiles_are_in_order(made: Report) -> None:
    for timing in (made.tight, made.paced):
        assert timing is not None
        assert timing.p90_ms is not None
        assert timing.p95_ms is not None
        order = [timing.p50_ms, timing.p90_ms, timing.p95_ms, timing.max_ms]
        assert sorted(order) == order
        assert (timing.p99_ms, timing.p999_ms, timing.rtf) == (None, None, None)
        assert sum(timing.histogram.counts) == timing.hops
        assert len(timing.histogram.edges_ms) == len(timing.histogram.counts) + 1


def test_summary_of_known_durations() -> None:
    took = np.full(1000, 2_000_000)
    took[7] = 12_000_000
    tight = summarise(took, 10_000_000)
    assert (tight.p50_ms, tight.max_ms, tight.misses) == (2.0, 12.0, 1)
    assert tight.rtf == pytest.approx(0.201)
    assert tight.jitter_ms is None
    late = np.zeros(1000, np.int64)
    late[3] = 9_000_000
    paced = summarise(took, 10_000_000, late)
    assert paced.misses == 2  # one too long, one begun too late to be done in time
    assert paced.jitter_ms == pytest.approx(late.std() / 1e6)


def test_paced_waits_for_every_hop(mini: Path) -> None:
    session = Session.open(mini)
    begin = time.perf_counter_ns()
    took, late = run_paced(session, np.zeros((2, 160), np.float32), 10, 5_000_000)
    assert time.perf_counter_ns() - begin >= 10 * 5_000_000
    assert (late >= 0).all()
    assert (took > 0).all()


def test_json_there_and_back(made: Report) -> None:
    assert Report.from_json(made.to_json().encode()) == made
    partial = replace(made, paced=None, ops=None, cold_start=None, memory=None)
    assert Report.from_json(partial.to_json().encode()) == partial


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"schema_version": 2}, "schema_version is 2, this reads 1"),
        ({"surprise": 1}, "surprise is not a known key"),
        ({"environment": "moon"}, "environment is 'moon'"),
        ({"tight": 3}, "tight is 3, it has to be an object"),
        ({"machine": None}, "machine is None"),
        ({"created": 5}, "created is 5"),
        ({"ops": [{}]}, "is missing"),
    ],
)
def test_foreign_report(made: Report, change: dict[str, object], fact: str) -> None:
    data = json.dumps(asdict(made) | change).encode()
    with pytest.raises(FieldError, match=fact):
        Report.from_json(data)


def test_schema_describes_the_report(made: Report) -> None:
    """A small checker of its own, so that schema and reader are not the same code twice."""

    def check(value: object, schema: dict, where: str = "report") -> None:
        if "anyOf" in schema:
            if value is None:
                assert {"type": "null"} in schema["anyOf"], where
            else:
                check(value, schema["anyOf"][0], where)
        elif "enum" in schema:
            assert value in schema["enum"], where
        elif schema["type"] == "object":
            assert isinstance(value, dict), where
            assert set(value) == set(schema["properties"]) >= set(schema["required"]), where
            for key, child in value.items():
                check(child, schema["properties"][key], f"{where}.{key}")
        elif schema["type"] == "array":
            assert isinstance(value, list), where
            for child in value:
                check(child, schema["items"], f"{where}[]")
        else:
            kinds = {"string": str, "integer": int, "number": (int, float)}
            assert isinstance(value, kinds[schema["type"]]), where

    check(json.loads(made.to_json()), report_schema())
    assert report_schema()["properties"]["environment"] == {
        "enum": ["board", "host", "emulated", "estimated"]
    }


def test_noise_without_a_golden_recording(tmp_path: Path) -> None:
    manifest, files = mini_contents()
    del files["golden.npz"]
    path = write_bundle(tmp_path / "a.evc", listed(replace(manifest, golden=None), files), files)
    options = ProfileOptions(modes=("tight",), seconds=0.05, cold_start=False, ops=False)
    made = profile(path, options)
    assert made.setup.input == "noise"
    assert (made.paced, made.ops, made.cold_start, made.memory) == (None, None, None, None)
    assert made.latency.compute_mode == "tight"


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        (ProfileOptions(modes=()), "modes is empty"),
        (ProfileOptions(seconds=0), "seconds is 0"),
        (ProfileOptions(seconds=float("nan")), "seconds is nan"),
        (ProfileOptions(warmup_hops=-1), "warmup is -1"),
    ],
)
def test_impossible_options(mini: Path, options: ProfileOptions, fact: str) -> None:
    with pytest.raises(ValueError, match=fact):
        profile(mini, options)


def test_command_writes_table_json_and_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = write_mini(tmp_path / "mini.evc")
    saved, picture = tmp_path / "r.json", tmp_path / "r.png"
    quick = ["--mode", "tight", "--seconds", "0.1", "--no-cold-start", "--environment", "emulated"]
    outputs = ["--json", str(saved), "--png", str(picture)]
    assert main(["profile", str(bundle), *quick, *outputs]) == 0
    table = capsys.readouterr().out
    assert "measured: emulated" in table
    assert "p50 / p90 / max" in table
    assert Report.from_json(saved.read_bytes()).environment == "emulated"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main(["report", str(saved)]) == 0
    assert "measured: emulated" in capsys.readouterr().out
    assert main(["profile", str(bundle), *quick, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["paced"] is None


def test_missed_deadline_is_an_exit_code(
    made: Report, mini: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from edge_vc_runtime.profiling import profiler

    assert made.tight is not None
    missed = replace(made, tight=replace(made.tight, misses=2), paced=None)
    monkeypatch.setattr(profiler, "profile", lambda *_: missed)
    assert main(["profile", str(mini)]) == 0
    assert main(["profile", str(mini), "--fail-on-miss"]) == 3
    assert "2 of 30" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["profile", "none.evc"], "none.evc: No such file"),
        (["profile", "BUNDLE", "--seconds", "0"], "seconds is 0"),
        (["profile", "BUNDLE", "--threads", "99"], "threads is 99"),
        (["report", "none.json"], "none.json: No such file"),
        (["report", "BUNDLE"], "is not UTF-8 text"),
    ],
)
def test_bad_profile_input(
    mini: Path, arguments: list[str], fact: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(mini) if a == "BUNDLE" else a for a in arguments]) == 2
    captured = capsys.readouterr()
    assert fact in captured.err
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_plain_table_without_rich(
    made: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setitem(sys.modules, "rich.console", None)
    saved = tmp_path / "r.json"
    saved.write_text(made.to_json())
    assert main(["report", str(saved)]) == 0
    assert capsys.readouterr().out == plain_report(made)
    assert "Paced, 30 hops of 10 ms" in plain_report(made)


def test_picture_without_matplotlib(
    made: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.startswith("matplotlib"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(PictureError, match=r"needs matplotlib: pip install"):
        write_png(made, tmp_path / "a.png")


def test_cold_start_that_fails(mini: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coldstart, "_SCRIPT", "raise SystemExit(1)")
    with pytest.raises(coldstart.ColdStartError, match="measuring process failed"):
        coldstart.measure_cold_start(mini, "onnx", 1, "fp32", "nano")


def test_a_pi_says_what_it_is(tmp_path: Path) -> None:
    facts = {
        "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
        "proc/cpuinfo": "processor : 0\nCPU part\t: 0xd0b\n",
        "proc/meminfo": "MemTotal:        8257536 kB\n",
        "proc/loadavg": "0.42 0.3 0.2 1/100 99\n",
        "sys/kernel/realtime": "1\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "2400000\n",
        "sys/class/thermal/thermal_zone0/temp": "51234\n",
        "sys/devices/platform/soc/soc:firmware/get_throttled": "50000\n",
    }
    for name, text in facts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    machine, sensors = read_machine(tmp_path), read_sensors(tmp_path)
    assert machine.model == "Raspberry Pi 5 Model B Rev 1.0"
    assert machine.cpu == "Arm part 0xd0b"
    assert machine.memory_mb == 8064
    assert machine.preemption == "rt"
    assert detect_environment(tmp_path) == "board"
    assert sensors.governor == "ondemand"
    assert sensors.frequency_mhz == 2400.0
    assert sensors.temperature_c == 51.234
    assert sensors.throttled == "50000"
    assert sensors.load_1m == 0.42


def test_a_silent_machine_gives_nulls(tmp_path: Path) -> None:
    assert set(asdict(read_sensors(tmp_path)).values()) == {None}
    assert read_machine(tmp_path).model is None
    assert detect_environment(tmp_path) == "host"

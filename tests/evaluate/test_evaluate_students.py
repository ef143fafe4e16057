"""The table and the picture of students that differ in latency, size or what they are taught."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmark_scripts import load_benchmark
from evaluate_reports import made_report

METRICS = {"similarity": 0.7, "wer_whisper": 0.3, "phone_error_rate": 0.25, "dnsmos": 2.9}


def row(latency: int, weights: int, better: float = 1.0) -> dict[str, Any]:
    figures = {
        key: {"value": value * better, "low": 0.9 * value, "high": 1.1 * value, "sentences": 8}
        for key, value in METRICS.items()
    }
    return {
        "latency_ms": latency, "trunk_weights": weights * 1000, "mmacs": 90.0, "steps": 10,
        "sentences": 8, "figures": figures,
    }  # fmt: skip


@pytest.fixture
def result(tmp_path: Path) -> Path:
    rows = {
        "20ms-800k": row(20, 800), "50ms-800k": row(50, 800, 1.05), "20ms-400k": row(20, 400),
        "20ms-800k-units": row(20, 800), "80ms-800k": row(80, 800) | {"figures": {}},
        "20ms-wide": {"waits_for": "weights"},
    }  # fmt: skip
    path = tmp_path / "students.json"
    path.write_text(json.dumps({"benchmark": "students", "rows": rows}))
    return path


def done(project_root: Path, script: str, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, project_root / "benchmarks" / script, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_table_has_what_was_evaluated(project_root: Path, result: Path) -> None:
    made = done(project_root, "table.py", result).stdout
    assert "| `50ms-800k` | 50 ms | 0.80 M | 90 | 0.735 (0.630 to 0.770)" in made
    assert "`20ms-800k-units`" in made
    assert "`20ms-wide`" not in made
    assert "10 steps" in made
    assert "8 sentences" in made
    assert "Difference from" not in made


def test_the_table_has_paired_differences(project_root: Path, result: Path) -> None:
    found = json.loads(result.read_text())
    found["rows"]["50ms-800k"]["differences"] = {
        "similarity": {"value": 0.03, "low": 0.01, "high": 0.05},
        "dnsmos": {"value": -0.1, "low": -0.2, "high": 0.1},
    }
    result.write_text(json.dumps(found))
    made = done(project_root, "table.py", result).stdout
    line = "| `50ms-800k` | **+0.030 (+0.010 to +0.050)** | - | - | -0.10 (-0.20 to +0.10) |"
    assert line in made
    assert "Difference from `20ms-800k` on the same sentences" in made


def test_differences_are_paired(project_root: Path, tmp_path: Path) -> None:
    report = made_report(("source", "20ms-800k", "50ms-800k-int8-litert"))
    report.save(tmp_path / "evaluation.json")
    students = load_benchmark(project_root, "students")
    found = students.figures(tmp_path / "evaluation.json", ["20ms-800k", "50ms-800k"])
    assert "differences" not in found["20ms-800k"]
    better = found["50ms-800k"]["differences"]["similarity"]
    assert better["low"] == pytest.approx(0.1)
    assert better["high"] == pytest.approx(0.1)  # the same in every sentence


def test_the_picture_is_the_same_every_time(
    project_root: Path, result: Path, tmp_path: Path
) -> None:
    for name in ("a.svg", "b.svg"):
        made = done(project_root, "student_curves.py", result, "--svg", tmp_path / "new" / name)
        assert made.returncode == 0, made.stderr
    first, second = ((tmp_path / "new" / name).read_text() for name in ("a.svg", "b.svg"))
    assert first == second
    for text in ("similarity", "DNSMOS", "algorithmic latency, ms", "thousand weights", "20 ms"):
        assert f">{text}<" in first
    assert ">50 ms<" not in first  # one size of it is no line


def test_other_results_are_refused(project_root: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    for value in ({"benchmark": "latency"}, {"benchmark": "students", "rows": {"20ms-800k": {}}}):
        path.write_text(json.dumps(value))
        made = done(project_root, "student_curves.py", path, "--svg", tmp_path / "x.svg")
        assert made.returncode == 2
        assert "has no evaluated students" in made.stderr
        assert not (tmp_path / "x.svg").exists()

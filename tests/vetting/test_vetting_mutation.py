"""Graphs whose parts were changed: what passes the checks does not crash the library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from runtime_bundles import delay_model
from runtime_tflite import delay_tflite

from edge_vc.assets import bundle_path
from edge_vc_runtime.bundle.reader import read_bundle


def counted(file: Path, count: int) -> dict[str, int]:
    script = Path(__file__).with_name(f"mutate_{file.suffix[1:]}.py")
    words = [sys.executable, str(script), str(file), str(count)]
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


def check(found: dict[str, int], least: int) -> None:
    assert found.get("crashed", 0) == 0, found
    assert found["refused"] > least
    assert found["ran"] > least


def test_changed_graphs_do_not_crash_the_library(tmp_path: Path) -> None:
    file = tmp_path / "delay.tflite"
    file.write_bytes(delay_tflite(16, 8, 1.0))
    check(counted(file, 150), 10)


def test_changed_onnx_graphs_do_not_crash_the_library(tmp_path: Path) -> None:
    file = tmp_path / "delay.onnx"
    file.write_bytes(delay_model(16, 8, 1.0))
    check(counted(file, 150), 10)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("form", ["tflite", "onnx"])
@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_changed_students_do_not_crash_the_library(
    tmp_path: Path, precision: str, form: str
) -> None:
    file = tmp_path / f"student.{form}"
    file.write_bytes(read_bundle(bundle_path("kathleen-nano")).read(f"model.{precision}.{form}"))
    check(counted(file, 2000), 100)

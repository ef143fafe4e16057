"""Libraries report nothing to their makers, and keep no identifier of the machine."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from test_file_names import identity
from voices import record

from edge_vc.assets import bundle_path

BUNDLE = str(bundle_path("kathleen-nano"))
ROOT = Path(__file__).resolve().parent.parent
ALONE = "runtimes/edge_vc_runtime/engines/onnx_engine/library.py"
"""The one file that loads ONNX Runtime."""
OPENED = f"from edge_vc_runtime import Session; Session.open({BUNDLE!r}, 'onnx')"
TAUGHT = """
from edge_vc.audio.voice_activity import SpeechDetector
from edge_vc.teachers.loading import open_teacher
from edge_vc.teachers.onnx_file import OnnxSpec
open_teacher(OnnxSpec(path="same.onnx"))
SpeechDetector()
"""
STREAMED = f"""
from pathlib import Path
from edge_vc_export.bundle.unpack import unpack
from edge_vc_export.parity.open_stream import open_stream
files = unpack(Path({BUNDLE!r}), Path("parts"))
open_stream(next(file for file in files if file.suffix == ".onnx"))
"""
RATED = "from edge_vc.evaluate.metrics.dnsmos import DnsmosModel; DnsmosModel()"
WAYS = {
    "board": ["-m", "edge_vc_runtime", "inspect", "--check", BUNDLE],
    "host": ["-m", "edge_vc", "run", "-q", "--engine", "onnx", BUNDLE, "in/00.wav", "out.wav"],
    "label": [
        "-m",
        "edge_vc",
        "label",
        "in",
        "--teacher",
        "same.onnx",
        "-o",
        "l",
        "--workers",
        "1",
    ],
    "session": ["-c", OPENED],
    "teacher": ["-c", TAUGHT],
    "parity": ["-c", STREAMED],
    "metric": ["-c", RATED],
}
SLOW = ("label", "host", "metric", "parity")


def test_one_file_loads_onnx_runtime() -> None:
    """It says that nothing is to be reported, before; whoever imports the library from there."""
    loading = {
        str(path.relative_to(ROOT))
        for folder in ("edge_vc", "export", "boards", "runtimes")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(a.name == "onnxruntime" for a in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("onnxruntime"))
    }
    assert loading == {ALONE}


@pytest.mark.parametrize(
    "way",
    [pytest.param(way, marks=[pytest.mark.slow] * (way in SLOW)) for way in WAYS],
)
def test_onnx_runtime_reports_nothing(way: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    record(tmp_path / "in", 1, 1.0)
    onnx.save(identity(), str(tmp_path / "same.onnx"))
    hidden = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *WAYS[way]],
        cwd=tmp_path, env=kept | {"HOME": str(home)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "telemetry" not in done.stderr
    foreign = [p for p in home.rglob("*") if p.is_file() and "edge-vc" not in str(p)]
    assert not foreign

"""Bundles and recordings that the runtime's tests share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from runtime_bundles import write_mini


@pytest.fixture(scope="session")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with hop 160, delay 160 at 16 kHz: fp32 (default) passes, int8 halves."""
    return write_mini(tmp_path_factory.mktemp("bundle") / "mini.evc")


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same bundle with a TFLite file beside each ONNX file."""
    return write_mini(tmp_path_factory.mktemp("bundle") / "both.evc", ("onnx", "tflite"))


@pytest.fixture
def speech() -> np.ndarray:
    """1.2345 s of a voiced-like signal at 16 kHz, float32 ``[19752]``."""
    time = np.arange(19752) / 16000
    tone = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 20))
    return (0.1 * tone * (1 + np.sin(2 * np.pi * 3 * time))).astype(np.float32)


@pytest.fixture(scope="session")
def wheels(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both distributions, built from the checkout; keyed by name."""
    folder = tmp_path_factory.mktemp("wheels")
    for source in (project_root, project_root / "runtimes"):
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        command += ["--no-build-isolation", "--wheel-dir", str(folder), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    return {path.name.split("-")[0]: path for path in folder.glob("*.whl")}

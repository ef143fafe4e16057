"""The host command forwards to the code that does the work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from edge_vc import __version__
from edge_vc.cli import app

sys_runner = CliRunner()


def test_help_names_the_verbs() -> None:
    done = sys_runner.invoke(app, ["--help"])
    assert done.exit_code == 0
    for verb in ("compress", "run", "profile", "inspect", "report"):
        assert verb in done.output


def test_version() -> None:
    assert sys_runner.invoke(app, ["--version"]).output == f"edge-vc {__version__}\n"


@pytest.mark.parametrize("verb", ["run", "profile", "inspect", "report"])
def test_board_verbs_explain_themselves_as_edge_vc(
    verb: str, capfd: pytest.CaptureFixture[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from edge_vc.cli import main; main()", verb, "--help"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert f"usage: edge-vc {verb}" in done.stdout


def test_options_reach_the_board_code_in_order(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros(100), 16000)
    done = sys_runner.invoke(app, ["run", "-q", "none.evc", "--threads", "2", "a.wav", "b.wav"])
    assert done.exit_code == 2
    assert "edge-vc: none.evc: No such file" in done.output


def test_start_up_loads_no_torch() -> None:
    """`edge-vc run` is quick because only the verb that needs torch loads it."""
    script = (
        "import sys; from edge_vc.cli import app; import edge_vc_runtime.cli;"
        "print(sorted({'torch', 'onnx', 'onnxruntime', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert done.stdout == b"[]\n"

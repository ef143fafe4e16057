"""The host command forwards to the code that does the work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from edge_vc import __version__, cli
from edge_vc.cli import BOARD_VERBS, HOST_VERBS, app

sys_runner = CliRunner()


def test_help_names_the_verbs() -> None:
    done = sys_runner.invoke(app, ["--help"])
    assert done.exit_code == 0
    for verb in (*HOST_VERBS, *BOARD_VERBS):
        assert verb in done.output


def test_version() -> None:
    assert sys_runner.invoke(app, ["--version"]).output == f"edge-vc {__version__}\n"


@pytest.mark.parametrize(("given", "found"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_that_wait_leave_the_processor_to_others(
    given: str | None, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every verb, before torch is loaded; whoever sets it otherwise keeps that."""
    said = []

    def called(**_: object) -> None:
        said.append((os.environ.get("OMP_WAIT_POLICY"), "torch" in sys.modules))

    monkeypatch.setattr(cli, "app", called)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.delenv("OMP_WAIT_POLICY")
    if given:
        monkeypatch.setenv("OMP_WAIT_POLICY", given)
    cli.main()
    assert said == [(found, False)]


@pytest.mark.parametrize("verb", [*HOST_VERBS, *BOARD_VERBS])
def test_verbs_explain_themselves_as_edge_vc(verb: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edge_vc", verb, "--help"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"usage: edge-vc {verb}" in done.stdout.lower()


def test_options_reach_the_board_code_in_order(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros(100), 16000)
    done = sys_runner.invoke(app, ["run", "-q", "none.evc", "--threads", "2", "a.wav", "b.wav"])
    assert done.exit_code == 2
    assert "edge-vc run: error: none.evc: No such file" in done.output


def test_start_up_loads_no_torch() -> None:
    """`edge-vc run` is quick because only the verb that needs torch loads it."""
    script = (
        "import sys; from edge_vc.cli import app; import edge_vc_runtime.cli;"
        "print(sorted({'torch', 'onnx', 'onnxruntime', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert done.stdout == b"[]\n"


def test_no_library_writes_to_a_stream_that_is_closed_at_exit() -> None:
    """Numba's colours kept the stdout of a long step; at Ctrl-C it ended in a traceback."""
    code = """
import io, sys
from edge_vc.cli import main
try:
    sys.argv = ["edge-vc", "--version"]
    main()
except SystemExit:
    pass
from numba.core.errors import termcolor
from rich.console import Console
from rich.file_proxy import FileProxy

kept, stand_in = sys.stdout, io.StringIO()
sys.stdout = FileProxy(Console(stderr=True), stand_in)  # as while a bar is shown
termcolor().errmsg("seen")
stand_in.close()
sys.stdout = kept
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""

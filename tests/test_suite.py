"""The suite itself: it ends wherever it is started."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

INNER = """
import signal, subprocess, sys

def test_ctrl_c_reaches_a_child():
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )
    assert child.stdout.readline() == b"up\\n"
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=10) == -signal.SIGINT
    child.communicate()
"""


def ignore_sigint() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def test_ctrl_c_is_seen_where_the_parent_ignores_it(tmp_path: Path, project_root: Path) -> None:
    (tmp_path / "conftest.py").write_text((project_root / "tests" / "conftest.py").read_text())
    (tmp_path / "test_inner.py").write_text(INNER)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path, preexec_fn=ignore_sigint, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_every_test_has_a_timeout(request: pytest.FixtureRequest) -> None:
    assert float(request.config.getini("timeout")) > 0
    assert request.config.pluginmanager.hasplugin("timeout")

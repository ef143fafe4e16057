"""The standard streams: stdout holds results alone, closed descriptors do no harm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_vc.assets import bundle_path

BUNDLE = str(bundle_path("kathleen-nano"))
COMMAND = [sys.executable, "-m", "edge_vc_runtime"]
CHATTY = """
import os, sys
from edge_vc_runtime import cli
from edge_vc_runtime.session import Session
real = Session.step
def step(self, audio):
    os.write(1, b"a banner of a library\\n")
    return real(self, audio)
Session.step = step
raise SystemExit(cli.main(sys.argv[1:]))
"""
"""The board command with an engine that writes on file descriptor 1 at every hop."""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "in.wav"
    rng = np.random.default_rng(0)
    soundfile.write(path, 0.1 * rng.standard_normal(3200), 16000)
    return path


def converted(
    recording: Path, *start: str, redirect: str = ""
) -> subprocess.CompletedProcess[bytes]:
    words = [*start, "run", BUNDLE, str(recording), "-"]
    line = " ".join(f"'{word}'" for word in words)
    return subprocess.run(["sh", "-c", f"exec {line} {redirect}"], capture_output=True, check=False)


def test_what_a_library_prints_is_not_in_the_audio(recording: Path, tmp_path: Path) -> None:
    program = tmp_path / "chatty.py"
    program.write_text(CHATTY)
    quiet = converted(recording, *COMMAND)
    chatty = converted(recording, sys.executable, str(program))
    assert quiet.returncode == chatty.returncode == 0, chatty.stderr
    assert quiet.stdout == chatty.stdout
    assert len(quiet.stdout) == 2 * 3200
    assert b"a banner of a library" in chatty.stderr


def test_nor_in_the_json_on_stdout(tmp_path: Path) -> None:
    program = tmp_path / "chatty.py"
    program.write_text(CHATTY)
    words = [
        "profile", BUNDLE, "--seconds", "0.05", "--warmup", "1", "--no-cold-start", "--no-ops",
        "--json", "-",
    ]  # fmt: skip
    done = subprocess.run([sys.executable, str(program), *words], capture_output=True, check=True)
    assert done.stdout.startswith(b"{")
    assert b"a banner of a library" in done.stderr


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_a_closed_stdin_or_stderr_does_not_change_the_audio(recording: Path, closed: str) -> None:
    done = converted(recording, *COMMAND, redirect=closed)
    assert done.returncode == 0
    assert len(done.stdout) == 2 * 3200
    assert done.stdout == converted(recording, *COMMAND).stdout


def test_a_closed_stdout_is_one_line_for_audio_and_harms_no_file(
    recording: Path, tmp_path: Path
) -> None:
    done = converted(recording, *COMMAND, redirect=">&-")
    assert done.returncode == 2
    assert b": error: " in done.stderr
    assert b"Traceback" not in done.stderr
    out = tmp_path / "out.wav"
    line = [*COMMAND, "run", "-q", BUNDLE, str(recording), str(out)]
    shell = " ".join(f"'{word}'" for word in line)
    for closed in (">&-", "<&- >&- 2>&-"):
        done = subprocess.run(["sh", "-c", f"exec {shell} {closed}"], capture_output=True)
        assert done.returncode == 0
        assert soundfile.info(out).frames == 3200
        out.unlink()


def test_a_closed_stdin_is_one_line_for_audio(tmp_path: Path) -> None:
    line = " ".join(f"'{word}'" for word in [*COMMAND, "run", BUNDLE, "-", str(tmp_path / "o.wav")])
    done = subprocess.run(["sh", "-c", f"exec {line} <&-"], capture_output=True)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
    assert os.path.exists("/dev/null")

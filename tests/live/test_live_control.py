"""A run on a sound server, controlled from outside: the chain's part of a live voice."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from live_sound import SoundServer, tone

from edge_vc_runtime.control.client import ask
from edge_vc_runtime.control.error import ControlError

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def status(place: Path) -> dict[str, object]:
    try:
        return dict(ask(place, {"status": True})["status"])  # type: ignore[call-overload]
    except ControlError:
        return {}


def test_a_run_is_controlled_through_socket_and_keys(
    sound: SoundServer, mini: Path, tmp_path: Path
) -> None:
    place = tmp_path / "run" / "control.sock"
    leader, follower = pty.openpty()
    before = termios.tcgetattr(follower)
    run = [sys.executable, "-m", "edge_vc_runtime", "run", str(mini), "--no-realtime"]
    # The keys belong to the terminal's foreground process, as under a shell.
    script = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    script += "os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", script, *run, "--control", str(place), "-q"],
        stdin=follower, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_until(lambda: status(place).get("state") == "running")
        wait_until(lambda: status(place)["gate"] == "closed")
        quiet = float(str(status(place)["output_db"]))
        feeder = sound.feed(tone(150, 6.0))
        wait_until(lambda: status(place)["gate"] == "open")
        wait_until(lambda: float(str(status(place)["output_db"])) > quiet + 20)
        undelayed = float(str(status(place)["delay_ms"]))
        ask(place, {"set": {"pitch": 3}})
        wait_until(lambda: float(str(status(place)["delay_ms"])) > undelayed + 5)
        os.write(leader, b"b")
        wait_until(lambda: status(place)["bypassed"] is True)
        os.write(leader, b"q")
        assert process.wait(20) == 0
        feeder.wait()
    finally:
        process.kill()
        process.wait()
    assert termios.tcgetattr(follower) == before
    assert not place.exists()
    os.close(leader)
    os.close(follower)


def test_two_runs_and_one_place(
    sound: SoundServer, mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    command = [sys.executable, "-m", "edge_vc_runtime", "run", str(mini), "--no-realtime"]
    first = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        place = tmp_path / "edge-vc" / "control.sock"
        wait_until(lambda: status(place).get("state") == "running")
        done = subprocess.run(
            [*command, "--seconds", "1"], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0
        assert "no control socket: " in done.stderr
        assert status(place)["state"] == "running"
    finally:
        first.send_signal(signal.SIGTERM)
        assert first.wait(20) == 143
    assert not place.exists()

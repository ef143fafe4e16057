"""What `run` shows and writes, as a process on a real sound server, and measured from outside."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from live_sound import SoundServer, tone

from edge_vc.assets import find_bundle
from edge_vc_runtime.cli import main
from edge_vc_runtime.profiling.report import Report

pytestmark = pytest.mark.live
RUN = [sys.executable, "-m", "edge_vc_runtime", "run", str(find_bundle("kathleen-nano"))]


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def start(folder: Path, *options: str) -> tuple[subprocess.Popen[bytes], Callable[[], str]]:
    place = folder / "stderr"
    with place.open("wb") as file:
        process = subprocess.Popen([*RUN, *options], stderr=file, stdout=subprocess.DEVNULL)
    return process, lambda: place.read_text(errors="replace")


def scrape(address: str) -> dict[str, float]:
    with urllib.request.urlopen(address, timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    rows = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


def test_metrics_taps_and_report_of_a_run_that_is_terminated(
    sound: SoundServer, tmp_path: Path
) -> None:
    report, mood = tmp_path / "live.json", tmp_path / "mood.jsonl"
    options = ["--report", str(report), "--metrics", "0", "--tap", f"mood={mood}"]
    process, shown = start(tmp_path, *options)
    try:
        wait_for(lambda: "metrics: http" in shown())
        address = re.search(r"metrics: (\S+)", shown())[1]
        wait_for(lambda: scrape(address).get("edge_vc_hops_total", 0) > 50)
        feeder = sound.feed(tone(150, 4.0))
        first = scrape(address)
        wait_for(lambda: scrape(address)['edge_vc_level_dbfs{direction="input"}'] > -20)
        wait_for(lambda: mood.read_text().count("\n") >= 4)
        feeder.wait()
        second = scrape(address)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert process.wait(20) == 143
        assert time.monotonic() - began < 5
    finally:
        process.kill()
        process.wait()
    for name in ("edge_vc_hops_total", "edge_vc_step_seconds_count", "edge_vc_run_seconds"):
        assert second[name] > first[name]
    assert second['edge_vc_state{state="running"}'] == 1
    assert 0.02 < second["edge_vc_microphone_to_ear_seconds"] < 0.5
    made = Report.from_json(report.read_bytes())
    assert made.live is not None
    assert made.latency.buffer_ms > 0
    assert made.latency.total_ms == pytest.approx(made.live.delay.last_ms, abs=20)
    assert made.live.hops >= second["edge_vc_hops_total"]
    text = shown()
    assert "latency budget, microphone to ear:\n" in text
    assert "\x1b" not in text
    assert text.rstrip().endswith(f"report: {report}")
    rows = [json.loads(line) for line in mood.read_text().splitlines()]
    assert [row["t"] for row in rows] == list(range(rows[0]["t"], rows[-1]["t"] + 1))


def test_a_terminal_is_left_as_it_was(sound: SoundServer) -> None:
    reader, writer = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "NO_COLOR": "1"}
    process = subprocess.Popen(
        RUN, stdin=writer, stdout=writer, stderr=writer, env=environment, start_new_session=True
    )
    os.close(writer)
    written = b""
    try:
        while written.count(b"\rin ") + written.count(b"\r0:") < 10:
            written += os.read(reader, 65536)
        process.send_signal(signal.SIGINT)
        while True:
            try:
                written += os.read(reader, 65536)
            except OSError:  # the other end is closed
                break
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.wait()
        os.close(reader)
    text = written.decode()
    refreshed, _, summary = text.partition("live run:")
    assert refreshed.endswith("\r\x1b[K")
    assert text.count("\x1b[?7l") == text.count("\x1b[?7h") > 0
    assert text.rfind("\x1b[?7h") > text.rfind("\x1b[?7l")
    assert "delay min / mean / max" in summary
    assert "\x1b" not in summary


def test_the_budget_is_what_the_ear_hears(
    sound: SoundServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Measured from outside with this command's own devices subtracted."""
    report = tmp_path / "live.json"

    def measured(*options: str) -> float | None:
        main(["measure-latency", *options, "--input", "speaker_heard", "--json"])
        delay = json.loads(capsys.readouterr().out)["delay_ms"]
        return None if delay is None else float(delay)

    own = measured("--output", "speaker", "--repeats", "3")
    assert own is not None
    process, shown = start(tmp_path, "--report", str(report), "--metrics", "0")
    try:
        wait_for(lambda: "metrics: http" in shown())
        through = None
        for _ in range(3):  # an xrun in between shifts the delay, and no number is given
            through = through or measured("--through", "--output", "mic_mouth", "--repeats", "2")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.wait()
    made = Report.from_json(report.read_bytes())
    assert through is not None
    assert made.live is not None
    assert made.live.delay is not None
    assert through - own == pytest.approx(made.live.delay.mean_ms, abs=25)


def test_a_busy_port_stops_before_audio(sound: SoundServer, tmp_path: Path) -> None:
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        process, shown = start(tmp_path, "--metrics", str(port))
        assert process.wait(30) == 2
    assert re.fullmatch(
        r"edge-vc-rt run: error: --metrics \d+: Address already in use; .*\n", shown()
    )

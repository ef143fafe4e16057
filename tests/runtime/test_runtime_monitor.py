"""Budget, recorder, summary, report and metrics of scripted live runs."""

from __future__ import annotations

import http.client
import io
import socket
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from live_snapshots import PARTS, SNAPSHOT, snapshot

from edge_vc.assets import bundle_path
from edge_vc_runtime.cli import main
from edge_vc_runtime.live.hop_times import HopTimes
from edge_vc_runtime.live.snapshot import DelayParts
from edge_vc_runtime.monitor.budget import budget_lines, describe_budget
from edge_vc_runtime.monitor.display import LiveDisplay, describe_run
from edge_vc_runtime.monitor.display_options import DisplayOptions
from edge_vc_runtime.monitor.error import MonitorError
from edge_vc_runtime.monitor.live_metrics import METRICS, metrics_table
from edge_vc_runtime.monitor.metrics_server import MetricsServer
from edge_vc_runtime.monitor.recorder import RunRecorder
from edge_vc_runtime.profiling.report import Report
from edge_vc_runtime.session import Session


def times(*durations_ms: float) -> HopTimes:
    made = HopTimes(10_000_000)
    for duration in durations_ms:
        made.record(int(duration * 1e6))
    return made


def test_budget_names_every_part_with_its_source() -> None:
    text = describe_budget(PARTS, "USB Audio Device", "snd_rpi_hifiberry_dacplus")
    assert text == [
        "latency budget, microphone to ear:",
        "  converter, input    4.0 - 5.5 ms  typical for cheap USB cards",
        "  input buffer             10.5 ms  from the opened stream",
        "  resampling                3.0 ms  from the sample rates of card and model",
        "  algorithmic              20.0 ms  from the bundle: one hop and its look-ahead",
        "  chain                     1.0 ms  from the stages that are switched on",
        "  compute                   2.5 ms  measured just now: longest of 25 steps",
        "  reserve                   5.0 ms  kept ready for steps that take long",
        "  output buffer            10.5 ms  from the opened stream",
        "  converter, output         0.5 ms  typical for HiFiBerry cards",
        "  total             57.0 - 58.5 ms  sum of the lines",
    ]


def test_budget_says_what_it_does_not_know() -> None:
    parts = replace(PARTS, output_buffer_ms=None, compute_ms=None)
    lines = {line.name: line for line in budget_lines(parts, "Built-in", "hw:0")}
    assert lines["converter, input"].low_ms is None
    assert lines["compute"].source == "not measured yet"
    assert lines["output buffer"].source == "the stream does not state it"
    assert lines["total"].low_ms == pytest.approx(39.5)
    assert lines["total"].source == "and the lines that are unknown"
    assert max(map(len, describe_budget(parts, "Built-in", "hw:0"))) < 80


def test_recorder_weighs_by_time() -> None:
    recorder = RunRecorder()
    assert recorder.finish(None) is None
    script = [
        snapshot(seconds=1.0, gate_open=False, temperature_c=50.0),
        snapshot(seconds=2.0, tier="nano", temperature_c=61.0),
        snapshot(seconds=3.0, tier="nano", bypassed=True, delay=replace(PARTS, reserve_ms=15.0)),
        snapshot(seconds=4.0, tier="base", delay=replace(PARTS, compute_ms=None), reopened=2),
        snapshot(seconds=5.0, state="waiting", delay=replace(PARTS, reserve_ms=500.0)),
    ]
    for now in script:
        recorder.record(now)
    run = recorder.finish(times(*[1, 1, 1, 12] * 25))
    assert run is not None
    assert (run.gate_open_share, run.bypassed_share) == (0.8, 0.2)
    assert [(use.tier, use.seconds) for use in run.tiers] == [("base", 3.0), ("nano", 2.0)]
    assert run.tier_changes == 2
    assert run.temperature_max_c == 61.0
    assert run.delay is not None
    assert (run.delay.min_ms, run.delay.max_ms) == (52.5, 62.5)
    assert run.delay.mean_ms == pytest.approx((52.5 * 2 + 62.5) / 3)
    assert run.step is not None
    assert run.step.max_ms == 12.0
    assert run.step.rtf == pytest.approx(15 / 40)
    assert run.step.p50_ms == pytest.approx(1, rel=0.02)


def test_a_run_without_hops_has_no_step_times() -> None:
    recorder = RunRecorder()
    recorder.record(snapshot(hops=0, delay=DelayParts(None, None, 0, 20, 0, 0, None)))
    run = recorder.finish(HopTimes(10**7))
    assert run is not None
    assert (run.step, run.delay) == (None, None)
    assert "no hop was converted" in "\n".join(describe_run(run))


def test_display_from_start_to_end(mini: Path, tmp_path: Path) -> None:
    stream, place = io.StringIO(), tmp_path / "live.json"
    display = LiveDisplay(DisplayOptions(report=str(place)), stream)
    display.before(PARTS, "mic", "speaker")
    display.observe(snapshot(seconds=1.0))
    display.console("device", state="gone")
    display.observe(snapshot(seconds=2.0), times(1, 2))
    display.close(Session.open(mini), times(1, 2))
    text = stream.getvalue()
    order = [
        "latency budget",
        "0:01 in",
        "device  state=gone",
        "live run:",
        "xruns  ",
        f"report: {place}",
    ]
    assert [text.index(word) for word in order] == sorted(text.index(word) for word in order)
    made = Report.from_json(place.read_bytes())
    assert made.environment in ("host", "board")
    assert (made.subject.bundle, made.setup.input) == ("mini", "microphone")
    latency = made.latency
    assert latency.buffer_ms == 26.0
    assert (latency.resampling_ms, latency.chain_ms) == (3.0, 1.0)
    assert latency.total_ms == pytest.approx(20 + 26 + 3 + 1 + latency.compute_ms)
    assert latency.compute_mode == "live"
    assert made.live is not None
    assert made.live.input_device == "USB Audio Device"


def test_report_on_stdout_while_quiet(mini: Path, capsys: pytest.CaptureFixture[str]) -> None:
    display = LiveDisplay(DisplayOptions(quiet=True, report="-"))
    display.observe(snapshot(delay=replace(PARTS, input_buffer_ms=None)))
    display.close(Session.open(mini), times(1))
    captured = capsys.readouterr()
    assert captured.err == ""
    made = Report.from_json(captured.out.encode())
    assert (made.latency.buffer_ms, made.latency.total_ms) == (None, None)


@pytest.mark.parametrize(
    ("name", "fact"), [(".", "is a folder"), ("none/r.json", "its folder does not exist")]
)
def test_a_report_that_cannot_be_written_is_refused_at_once(
    tmp_path: Path, name: str, fact: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = str(bundle_path("kathleen-nano"))
    assert main(["run", bundle, "--report", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err == (
        f"edge-vc-rt run: error: --report {tmp_path / name}: {fact}; "
        + ("name a file\n" if name == "." else "make it first\n")
    )


def scrape(address: str) -> dict[str, float]:
    with urllib.request.urlopen(address, timeout=5) as answer:
        text = answer.read().decode()
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@pytest.fixture
def server():
    made = MetricsServer(0)
    yield made
    made.close()


def test_metrics_before_the_first_snapshot(server: MetricsServer) -> None:
    assert scrape(server.address) == {}


def test_metrics_hold_the_whole_snapshot(server: MetricsServer) -> None:
    server.update(snapshot(input_overflows=2, output_underflows=3), times(0.4, 0.4, 1.5, 4, 900))
    found = scrape(server.address)
    expected = {
        'edge_vc_state{state="running"}': 1,
        'edge_vc_state{state="waiting"}': 0,
        "edge_vc_hops_total": 8300,
        'edge_vc_xruns_total{direction="input"}': 2,
        'edge_vc_xruns_total{direction="output"}': 3,
        'edge_vc_level_dbfs{direction="input"}': -23.4,
        'edge_vc_recent_step_seconds{quantile="0.99"}': 0.00251,
        'edge_vc_delay_seconds{part="algorithmic"}': 0.02,
        'edge_vc_delay_seconds{part="input_buffer"}': 0.0105,
        "edge_vc_microphone_to_ear_seconds": 0.0525,
        'edge_vc_tier{tier="base"}': 1,
        "edge_vc_gate_open": 1,
        "edge_vc_clock_drift_ppm": 11.5,
        "edge_vc_temperature_celsius": 54.3,
        "edge_vc_throttled_bits": 0,
        'edge_vc_parameter{name="pitch"}': -2,
        'edge_vc_step_seconds_bucket{le="0.0005"}': 2,
        'edge_vc_step_seconds_bucket{le="0.002"}': 3,
        'edge_vc_step_seconds_bucket{le="0.2"}': 4,
        'edge_vc_step_seconds_bucket{le="+Inf"}': 5,
        "edge_vc_step_seconds_count": 5,
        "edge_vc_step_seconds_sum": 0.9063,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    bare = {name.partition("{")[0] for name in found}
    assert {metric.name for metric in METRICS} <= bare


def test_what_is_unknown_is_left_out(server: MetricsServer) -> None:
    unknown = DelayParts(None, 5.0, 0, 20, 0, 0, None)
    server.update(snapshot(delay=unknown, temperature_c=None, throttled="no number", p99_ms=None))
    found = scrape(server.address)
    assert "edge_vc_microphone_to_ear_seconds" not in found
    assert 'edge_vc_delay_seconds{part="compute"}' not in found
    assert 'edge_vc_delay_seconds{part="output_buffer"}' in found
    assert not [name for name in found if "temperature" in name or "throttled" in name]


def test_loopback_only(server: MetricsServer) -> None:
    """No other address is bound, and a page that is served under another name gets nothing."""
    port = int(server.address.split(":")[2].partition("/")[0])
    assert server.address.startswith("http://127.0.0.1:")
    with socket.socket() as other:
        assert other.connect_ex(("127.0.0.2", port)) != 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/metrics", headers={"Host": "evil.example"})
    assert connection.getresponse().status == 403
    connection.close()


def test_a_client_that_says_nothing_keeps_nobody_waiting(
    server: MetricsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_vc_runtime.monitor import metrics_server

    assert 0 < metrics_server._Handler.timeout <= 2
    monkeypatch.setattr(metrics_server._Handler, "timeout", 0.2)
    port = int(server.address.split(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port)):
        server.update(SNAPSHOT)
        assert scrape(server.address)["edge_vc_hops_total"] == 8300


def test_a_busy_port_is_one_line(server: MetricsServer) -> None:
    port = int(server.address.split(":")[2].partition("/")[0])
    with pytest.raises(MonitorError, match=f"--metrics {port}: Address already in use; choose"):
        MetricsServer(port)


def test_without_prometheus_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(MonitorError, match=r"pip install 'edge-vc-runtime\[metrics\]'"):
        MetricsServer(0)


def test_metric_names_follow_the_rules() -> None:
    for metric in METRICS:
        assert metric.name.startswith("edge_vc_")
        assert metric.name.endswith("_total") == (metric.type == "counter")
        assert f"| `{metric.name}` |" in metrics_table()

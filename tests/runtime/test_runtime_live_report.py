"""The report of a live run: the schema of `profile` with one section more."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from edge_vc_runtime.cli import main
from edge_vc_runtime.profiling.live_run import (
    DelayRange,
    LatencyParts,
    LiveRun,
    StepTimes,
    TierUse,
)
from edge_vc_runtime.profiling.picture import PictureError, write_png
from edge_vc_runtime.profiling.profiler import ProfileOptions, profile
from edge_vc_runtime.profiling.report import Report
from edge_vc_runtime.profiling.table import plain_report
from edge_vc_runtime.schema.fields import FieldError

RUN = LiveRun(
    seconds=61.5,
    hops=6150,
    late=3,
    muted=2,
    input_overflows=1,
    output_underflows=4,
    reconnects=1,
    step=StepTimes(0.9, 0.8, 1.1, 2.5, 12.25, 10.0, 0.09),
    delay=DelayRange(41.0, 42.5, 52.0, 42.0, 43.0),
    parts=LatencyParts(10.0, 2.5, 20.0, 1.0, 2.5, 5.0, None),
    gate_open_share=0.625,
    bypassed_share=0.0,
    drift_ppm=-12.5,
    tier_changes=2,
    tiers=(TierUse("base", 40.0), TierUse("nano", 21.5)),
    temperature_max_c=71.5,
    throttled="0",
    input_device="USB Mic",
    output_device="DAC [pro]",
    dropped=7,
)


@pytest.fixture(scope="module")
def profiled(mini: Path) -> Report:
    options = ProfileOptions(seconds=0.05, warmup_hops=1, cold_start=False, ops=False)
    return profile(mini, options)


@pytest.fixture
def made(profiled: Report) -> Report:
    return replace(profiled, tight=None, paced=None, live=RUN)


def test_there_and_back(made: Report) -> None:
    again = Report.from_json(made.to_json().encode())
    assert again == made
    assert again.live is not None
    assert (again.live.xruns, again.misses) == (5, 3)


def test_a_report_of_before_reads(profiled: Report) -> None:
    old = asdict(profiled)
    del old["live"], old["latency"]["resampling_ms"], old["latency"]["chain_ms"]
    read = Report.from_json(json.dumps(old).encode())
    assert read == profiled
    assert "Live run" not in plain_report(read)


def test_the_section_is_read_strictly(made: Report) -> None:
    data = asdict(made)
    data["live"]["surprise"] = 1
    with pytest.raises(FieldError, match="live.surprise is not a known key"):
        Report.from_json(json.dumps(data).encode())


@pytest.mark.parametrize("rich", [True, False])
def test_report_shows_it(
    made: Report, tmp_path: Path, rich: bool, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("COLUMNS", "160")
    if not rich:
        monkeypatch.setitem(__import__("sys").modules, "rich.console", None)
    saved = tmp_path / "live.json"
    saved.write_text(made.to_json())
    assert main(["report", str(saved)]) == 0
    table = capsys.readouterr().out
    for fact in (
        "USB Mic -> DAC [pro]",
        "61.5 s, 6150 hops, 3 late",
        "5 (input 1, output 4)",
        "41.0 / 42.5 / 52.0 ms",
        "0.80 / 1.10 / 2.50 / 12.25 ms of 10 ms (RTF 0.0900)",
        "62% of the time",
        "-12.5 ppm",
        "base 40 s, nano 22 s; changes: 2",
        "2: the model's output was not finite",
        "7, so that the delay did not grow",
        "at most 71.5 C",
        "output buffer unknown",
    ):
        assert fact in table


def test_unknowns_are_said(made: Report) -> None:
    bare = replace(
        RUN, step=None, delay=None, temperature_max_c=None, throttled=None, muted=0, tiers=(),
        bypassed_share=0.25,
    )  # fmt: skip
    table = plain_report(replace(made, live=bare))
    assert "no hop was converted" in table
    assert "unknown: the streams did not state their latency" in table
    assert "25% of the time" in table
    assert "muted" not in table
    assert "at most" not in table


def test_a_hostile_name_stays_on_its_line(made: Report) -> None:
    hostile = replace(RUN, input_device="mic\x1b]0;x\x07\nfake  row")
    table = plain_report(replace(made, live=hostile))
    assert "\x1b" not in table
    assert "mic\\x1b]0;x\\x07 fake row" in table


def test_no_histogram_to_draw(made: Report, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="only `profile` makes one"):
        write_png(made, tmp_path / "a.png")

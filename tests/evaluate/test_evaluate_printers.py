"""Whatever a file says, no printer passes a terminal's codes or a line break of the file on."""

from __future__ import annotations

import io
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from evaluate_reports import made_report
from rich.console import Console
from runtime_bundles import write_mini

from edge_vc.evaluate.report.tables import all_tables
from edge_vc_boards.descriptions import board_table, describe_board
from edge_vc_boards.profile_folder import shipped_boards
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.descriptions import (
    describe_bundle,
    describe_comparison,
    describe_replay,
    describe_selection,
)
from edge_vc_runtime.devices.device_table import describe_devices
from edge_vc_runtime.devices.listing import BackendListing, DeviceListing
from edge_vc_runtime.engines.measurement import EngineTiming, Measurement
from edge_vc_runtime.engines.selection import EngineSelection
from edge_vc_runtime.golden import Replay
from edge_vc_runtime.profiling.comparison import Refusal
from edge_vc_runtime.profiling.report import Report
from edge_vc_runtime.profiling.table import plain_report, print_report

EVIL = "\x1b]0;x\x07\x1b[31mred\nengine: forged\r\x9b2J\u202e\ud800"


def spoiled(value: Any) -> Any:
    """Return a record whose every text, and every key of a mapping, holds codes."""
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            field.name: spoiled(getattr(value, field.name))
            for field in fields(value)
            if field.init and field.name not in ("engine", "digest", "files", "file", "default")
        }
        return replace(value, **changed)
    if isinstance(value, str):
        return f"{value}{EVIL}"
    if isinstance(value, tuple):
        return tuple(spoiled(each) for each in value)
    if isinstance(value, dict):
        return {f"{key}{EVIL}": spoiled(each) for key, each in value.items()}
    return value


def check(lines: list[str]) -> None:
    assert lines
    for line in lines:
        assert line.isprintable(), repr(line)
        assert not line.startswith(("engine: forged", "red"))


def test_a_bundle(tmp_path: Path) -> None:
    bundle = read_bundle(write_mini(tmp_path / "a.evc"))
    manifest = replace(
        bundle.manifest,
        name=EVIL,
        version=EVIL,
        licence=EVIL,
        consent=EVIL,
        boards=(EVIL,),
        metrics={EVIL: 1.0},
    )
    check(describe_bundle(replace(bundle, manifest=manifest)))


def test_engines_and_goldens() -> None:
    selection = EngineSelection(EVIL, EVIL, EVIL, EVIL, EVIL)
    replay = Replay(EVIL, EVIL, EVIL, EVIL, EVIL, 0.0, None, 0.0)
    timing = EngineTiming(EVIL, EVIL, EVIL, EVIL, 1.0)
    made = Measurement("", "", (), 1, "", timings=(timing,))
    check([describe_selection(selection), describe_replay(replay, with_tier=True)])
    check(describe_comparison(made, [Refusal(EVIL, EVIL, EVIL)]))


def test_a_profile(project_root: Path) -> None:
    saved = project_root / "tests" / "fuzz" / "seeds" / "profile.json"
    report = spoiled(Report.from_json(saved.read_bytes()))
    check(plain_report(report).split("\n"))
    stream = io.StringIO()
    print_report(report, stream)
    check(stream.getvalue().split("\n"))


def test_boards() -> None:
    boards = [replace(board, title=EVIL, models=(EVIL,)) for board in shipped_boards()]
    check(board_table(boards))
    for board in boards:
        check(describe_board(board))


def test_devices() -> None:
    listing = DeviceListing((BackendListing(EVIL, problem=EVIL),), (), {"input": EVIL}, "")
    check(describe_devices(listing))


@pytest.mark.parametrize("markup", ["[/red]", "[link=x]"])
def test_an_evaluation(markup: str) -> None:
    report = made_report((f"a{EVIL}", f"b{markup}", "c"), target=f"kate{EVIL}{markup}")
    stream = io.StringIO()
    console = Console(file=stream, width=200, markup=False)
    for table in all_tables(report, 200):
        console.print(table)
    check(stream.getvalue().split("\n"))
    assert markup in stream.getvalue()

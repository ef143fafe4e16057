"""What a board's time per hop is estimated to be, from counts alone."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from runtime_bundles import write_mini
from typer.testing import CliRunner

from edge_vc.cli import app
from edge_vc_boards.emulation import estimated_profile
from edge_vc_boards.emulation.core_model import core_model
from edge_vc_boards.emulation.core_rates import RATES, SOURCES
from edge_vc_boards.emulation.error import EmulationError
from edge_vc_boards.emulation.estimate import estimate_hop
from edge_vc_boards.emulation.hop_cost import CountedRun, HopCost
from edge_vc_boards.profile_folder import board_names, load_board
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.profiling.machine import read_machine
from edge_vc_runtime.profiling.report import Report
from edge_vc_runtime.profiling.session_facts import setup_of, subject_of
from edge_vc_runtime.profiling.table import plain_report
from edge_vc_runtime.session import Session

COUNTS = {
    "dot_product": 0.0, "matrix": 0.0, "widening": 90e3, "float_fma": 50e3, "simd": 80e3,
    "memory": 140e3, "branch": 28e3, "integer": 58e3,
}  # fmt: skip


def cost(**changes: float) -> HopCost:
    return HopCost("litert", "2.3.0", "model.int8.tflite", 50, COUNTS | changes, COUNTS)


def test_the_bounds_follow_from_the_pipes() -> None:
    estimate = estimate_hop(load_board("pi4"), cost(), 1_500_000)
    # Three instructions per cycle are the narrowest, before 110,000 cycles of the SIMD pipes.
    assert estimate.tight.low_ms == pytest.approx(446e3 / 3 / 1.5e6)
    pipes = (80e3 + 50e3 + 90e3) + 140e3 + 58e3 / 2 + 28e3
    assert estimate.tight.high_ms == pytest.approx(pipes / 1.5e6)
    assert estimate.memory_ms == pytest.approx(1.5 / 2.24, rel=1e-6)
    assert estimate.paced is not None
    assert estimate.paced.high_ms == pytest.approx(estimate.tight.high_ms + 1.5 / 2.24)
    for bounds in (estimate.tight, estimate.paced):
        assert bounds.estimate_ms == pytest.approx(bounds.low_ms * bounds.factor)
        assert bounds.estimate_ms == pytest.approx(bounds.high_ms / bounds.factor)
    assert estimate.instructions == pytest.approx(sum(COUNTS.values()))


@pytest.mark.parametrize("core", sorted(RATES))
@pytest.mark.parametrize("kind", sorted(COUNTS))
def test_more_of_anything_is_never_faster_and_no_bound_crosses(core: str, kind: str) -> None:
    model = core_model(core)
    more = COUNTS | {kind: COUNTS[kind] + 1e6}
    assert model.fewest_cycles(more) > model.fewest_cycles(COUNTS)
    assert model.most_cycles(more) > model.most_cycles(COUNTS)
    assert model.fewest_cycles(COUNTS) >= sum(COUNTS.values()) / model.rates.width.most
    assert model.most_cycles(COUNTS) >= model.fewest_cycles(COUNTS)


@pytest.mark.parametrize("core", sorted(RATES))
def test_every_rate_says_where_it_is_published(core: str) -> None:
    rates = {field.name: getattr(RATES[core], field.name) for field in fields(RATES[core])}
    for name, rate in rates.items():
        assert 0 < rate.least <= rate.most, name
        assert set(rate.sources) <= set(SOURCES), name
    unknown = [name for name, rate in rates.items() if not rate.sources]
    older = core in {"Cortex-A53", "Cortex-A57", "Cortex-A72"}
    assert unknown == (["dot_product"] if older else [])  # they have no such instruction


def test_one_busy_pipe_bounds_the_cycles_from_below() -> None:
    model = core_model("Cortex-A72")
    assert model.fewest_cycles({"widening": 900.0, "simd": 900.0}) == 900  # each on its own pipe
    assert model.fewest_cycles({"widening": 900.0, "simd": 1100.0}) == 1000
    assert model.fewest_cycles({"float_fma": 900.0}) == 900
    assert core_model("Cortex-A76").fewest_cycles({"float_fma": 900.0}) == 450


BOARDS = [name for name in board_names() if load_board(name).cpu]


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_that_is_emulated_has_an_estimate(name: str) -> None:
    board = load_board(name)
    assert board.cpu is not None
    estimate = estimate_hop(board, cost(), 1_000_000)
    assert estimate.tight.low_ms < estimate.tight.high_ms
    assert (estimate.paced is None) == (not board.cpu.memcpy_mb_per_s)
    assert ("no memory rate" in estimate.not_known) == (estimate.paced is None)


def test_a_core_that_nobody_described_is_refused() -> None:
    board = load_board("pi4")
    assert board.cpu is not None
    with pytest.raises(EmulationError, match="for a Cortex-X9: known are Cortex-A53, "):
        estimate_hop(replace(board, cpu=replace(board.cpu, core="Cortex-X9")), cost(), 1)


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_mini(tmp_path / "mini.evc")

    def count(
        board: object, given: Path, engine: str, *_: object, steps: int, **__: object
    ) -> object:
        assert (given, engine, steps) == (path, "auto", 25)
        session = Session.open(read_bundle(given), "onnx")
        each = np.linspace(0.9, 1.1, steps) * sum(COUNTS.values())
        return CountedRun(
            replace(cost(), steps=steps), tuple(each), subject_of(session),
            setup_of(session, 20, "golden"), read_machine(),
        )  # fmt: skip

    monkeypatch.setattr(estimated_profile, "count_run", count)
    return path


def profile(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["profile", *words], prog_name="edge-vc")
    return done.exit_code, done.stdout, done.stderr


def test_the_report_has_the_schema_of_every_other_one(bundle: Path, tmp_path: Path) -> None:
    file = tmp_path / "pi4.json"
    words = [str(bundle), "--board", "pi4", "--emulate", "--seconds", "0.25"]
    code, stdout, stderr = profile(*words, "--json", str(file), "--png", str(tmp_path / "x.png"))
    assert code == 0, stderr
    assert "Estimate, not measured" in stdout
    assert "measured: " not in stdout
    report = Report.from_json(file.read_bytes())
    assert report.environment == "estimated"
    assert report.estimate is not None
    assert report.paced is not None
    assert report.estimate.paced is not None
    assert report.paced.mean_ms == pytest.approx(report.estimate.paced.estimate_ms, rel=1e-3)
    assert report.paced.max_ms == pytest.approx(1.1 * report.paced.mean_ms, rel=1e-3)
    assert report.latency.compute_percentile == "max"  # 25 hops have no 99th percentile
    assert report.latency.compute_ms == report.paced.max_ms
    assert report.memory is report.cold_start is report.ops is None
    assert report.before.load_1m is None
    assert "x or /" in plain_report(report)
    old = json.loads(file.read_text())
    del old["estimate"]  # as version 0.1 wrote it
    assert Report.from_json(json.dumps(old).encode()).estimate is None


def test_the_report_may_not_be_written_over_its_bundle(bundle: Path) -> None:
    before = bundle.read_bytes()
    words = [str(bundle), "--board", "pi4", "--emulate", "--seconds", "0.25"]
    code, _, stderr = profile(*words, "--json", str(bundle))
    assert code == 2
    assert "is an input" in stderr
    assert bundle.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--board", "x86-64", "--emulate"], "describes no processor"),
        (["--board", "pi4", "--emulate", "--seconds", "nan"], "--seconds nan: has to be"),
        (["--board", "pi44", "--emulate"], "no board 'pi44'"),
        (["--emulate"], "--board"),
        (["--board", "pi4"], "are required: --emulate; see edge-vc profile --help"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_estimated_is_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    path = write_mini(tmp_path / "mini.evc")
    code, _, stderr = profile(str(path), *words)
    assert code == 2
    assert said in stderr
    assert stderr.count("\n") == 1


def test_the_help_of_profile_tells_of_it() -> None:
    assert "--board BOARD --emulate" in profile("--help")[1]


@pytest.mark.emulated
def test_a_shipped_bundle_is_estimated_with_the_kernels_of_the_board(
    arm64_root: Path, tmp_path: Path
) -> None:
    estimates = {}
    for board in ("pi4", "pi5"):
        file = tmp_path / f"{board}.json"
        words = ["kathleen-nano", "--board", board, "--emulate", "--seconds", "0.1"]
        code, _, stderr = profile(*words, "--json", str(file))
        assert code == 0, stderr
        report = Report.from_json(file.read_bytes())
        assert report.estimate is not None
        assert report.machine.model == load_board(board).full_model
        assert report.setup.engine == load_board(board).defaults.engine
        estimates[board] = report.estimate
    kinds = {name: {c.kind: c.per_hop for c in e.classes} for name, e in estimates.items()}
    assert kinds["pi4"]["dot_product"] == 0 < kinds["pi5"]["dot_product"]
    assert estimates["pi5"].tight.estimate_ms < estimates["pi4"].tight.estimate_ms
    assert math.isfinite(estimates["pi4"].tight.factor)

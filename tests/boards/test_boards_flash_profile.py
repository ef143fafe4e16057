"""`edge-vc profile --remote`: measured on the board, shown here."""

from __future__ import annotations

from pathlib import Path

import pytest
from runtime_installs_disk import mini_version
from typer.testing import CliRunner, Result

from edge_vc.cli import app
from edge_vc_boards.testing import FakeBoard
from edge_vc_runtime.profiling.report import Report

QUICK = ["--seconds", "0.2", "--mode", "tight", "--warmup", "5", "--no-cold-start", "--no-ops"]


def profile(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["profile", *arguments], prog_name="edge-vc")


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBoard:
    """A board with an installation that nobody flashed: only the runtime and a bundle."""
    made = FakeBoard(tmp_path / "board")
    monkeypatch.setenv("PATH", made.path())
    root = made.file("/opt/edge-vc")
    (root / "venv/bin").mkdir(parents=True)
    (root / "current").mkdir()
    (made.folder / "bin/venv-edge-vc-rt").rename(root / "venv/bin/edge-vc-rt")
    mini_version(root / "current/bundle.evc", "1.0")
    return made


def test_the_report_of_a_board_is_shown_and_written_here(board: FakeBoard, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    done = profile("--remote", "pi@fake", *QUICK, "--json", str(path))
    assert done.exit_code == 0, done.stderr
    assert Report.from_json(path.read_bytes()).schema_version >= 1
    (line,) = board.commands()
    assert line.endswith(f"--json - {' '.join(QUICK)}")


def test_a_board_without_an_installation_says_so(board: FakeBoard) -> None:
    done = profile("--remote=pi@fake", "--root", "edge-vc", *QUICK)
    assert done.exit_code == 2
    assert "edge-vc flash BUNDLE brings it there" in done.stderr


def test_what_is_no_report_is_one_line(board: FakeBoard) -> None:
    program = board.file("/opt/edge-vc/venv/bin/edge-vc-rt")
    program.write_text("#!/bin/sh\necho '{\"schema_version\": 1}'\n")
    done = profile("--remote", "pi@fake", *QUICK)
    assert done.exit_code == 2
    assert "sent no report" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_wrong_port_is_one_line(board: FakeBoard) -> None:
    done = profile("--remote", "pi@fake", "--port", "ssh")
    assert done.exit_code == 2
    assert done.stderr.startswith("edge-vc profile: error: argument --port: invalid int value")
    assert done.stderr.count("\n") == 1


def test_a_bundle_beside_the_board_is_refused_before_it_is_asked(board: FakeBoard) -> None:
    done = profile("mine.evc", "--remote", "pi@fake", *QUICK)
    assert done.exit_code == 2
    assert "leave 'mine.evc' out" in done.stderr
    assert not board.commands()


def test_the_help_says_how() -> None:
    assert "--remote USER@HOST" in profile("--help").stdout

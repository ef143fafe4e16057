"""The log that a run keeps is the same however often the run was killed."""

from __future__ import annotations

from pathlib import Path

from edge_vc.compress.stages.training_log import copy_log


def test_repeated_and_broken_lines_do_not_count(tmp_path: Path) -> None:
    scratch, output = tmp_path / "scratch", tmp_path / "output"
    scratch.mkdir()
    output.mkdir()
    lines = [
        '{"step": 100, "minutes": 1.5, "loss": 3.0}',
        '{"step": 200, "minutes": 3.0, "lo',
        '{"step": 100, "minutes": 0.9, "loss": 3.0}',
        '{"step": 200, "minutes": 2.0, "loss": 2.0}',
    ]
    (scratch / "log.jsonl").write_text("\n".join(lines) + "\n")
    copy_log(scratch, output)
    kept = (output / "log.jsonl").read_text()
    assert kept == '{"step": 100, "loss": 3.0}\n{"step": 200, "loss": 2.0}\n'


def test_no_log_keeps_none(tmp_path: Path) -> None:
    copy_log(tmp_path, tmp_path)
    assert list(tmp_path.iterdir()) == []

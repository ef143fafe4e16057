"""The table of a live benchmark, from a kept result."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_every_figure_stands_beside_its_goal(project_root: Path, tmp_path: Path) -> None:
    result = {
        "benchmark": "live",
        "bundle": "kathleen-base.evc",
        "engine": "litert 1.0",
        "environment": "host",
        "when": "2026-11-28T12:00:00+00:00",
        "figures": {"idle_xruns": 2, "bare_delay_ms": None, "rss_mb": 81.5},
        "goals": {"idle_xruns": 0, "rss_mb": 90.0},
    }
    place = tmp_path / "live.json"
    place.write_text(json.dumps(result))
    done = subprocess.run(
        [sys.executable, project_root / "benchmarks" / "table.py", place],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    rows = done.stdout.splitlines()
    assert "kathleen-base.evc on litert 1.0 (host, 2026-11-28" in rows[0]
    assert rows[4:] == [
        "| idle xruns | 2 | 0 |",
        "| bare delay ms | not found |  |",
        "| rss mb | 81.5 | 90 |",
    ]

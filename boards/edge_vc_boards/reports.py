"""Shows and writes a report made elsewhere, with the runtime's verb ``report``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from edge_vc_boards.board import BoardError
from edge_vc_runtime.cli import main as board_command
from edge_vc_runtime.profiling.report import Report


def show_report(report: Report, json: str | None, png: str | None, prog: str = "edge-vc") -> None:
    """Print a report; write it to ``json`` (``-`` is stdout) and its figure to ``png``.

    Raises `BoardError` if that fails; the verb has printed the reason.
    """
    with tempfile.TemporaryDirectory(prefix="edge-vc-report-") as folder:
        path = Path(folder) / "report.json"
        path.write_text(report.to_json(), encoding="utf-8")
        words = ["report", str(path)]
        words += ["--json", json] if json else []
        words += ["--png", png] if png else []
        code = board_command(words, prog=prog)
    if code:
        raise BoardError("the report could not be shown")

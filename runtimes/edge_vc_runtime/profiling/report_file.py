"""Atomic writing of a report."""

from __future__ import annotations

from pathlib import Path

from edge_vc_runtime.files.writing import write_whole
from edge_vc_runtime.profiling.report import Report


def save_report(report: Report, place: Path) -> None:
    """Write the report as JSON; an existing file is replaced atomically. Raises `OutputError`."""
    write_whole(place, report.to_json())

"""Writing a report whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from edge_vc_runtime.profiling.report import Report


def save_report(report: Report, place: Path) -> None:
    """Write the report as JSON; an existing file is replaced at once. Raises `OSError`."""
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        part.write_text(report.to_json())
        part.replace(place)
    except OSError:
        part.unlink(missing_ok=True)
        raise

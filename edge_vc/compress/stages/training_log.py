"""The training log as part of an artifact: figures by step, without wall-clock times."""

from __future__ import annotations

import json
from pathlib import Path

from edge_vc_runtime.files.writing import write_whole

LOG = "log.jsonl"
"""File with a line of figures at regular step intervals."""


def copy_log(scratch: Path, output: Path) -> None:
    """Copy a training's log from its scratch folder, to plot curves of the run.

    A resumed training repeats lines: the last one of a step counts. Wall-clock time is omitted,
    so that the same training gives the same bytes.
    """
    path = scratch / LOG
    if not path.is_file():
        return
    rows = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue  # truncated by a kill
        row.pop("minutes", None)
        rows[row["step"]] = json.dumps(row)
    lines = [rows[step] for step in sorted(rows)]
    write_whole(output / LOG, "\n".join([*lines, ""]))

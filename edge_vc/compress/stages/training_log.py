"""The training log as part of an artifact: figures by step, without wall-clock times."""

from __future__ import annotations

import json
from pathlib import Path

from edge_vc_runtime.files.writing import write_whole

LOG = "log.jsonl"
"""A line of figures for every so many steps."""


def copy_log(scratch: Path, output: Path) -> None:
    """Copy a training's log from its scratch folder, so that curves can be drawn of the run.

    A resumed training repeats lines: the last one of a step counts. Wall-clock time stays out,
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
            continue  # cut short by a kill
        row.pop("minutes", None)
        rows[row["step"]] = json.dumps(row)
    lines = [rows[step] for step in sorted(rows)]
    write_whole(output / LOG, "\n".join([*lines, ""]))

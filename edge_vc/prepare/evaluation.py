"""Set a part of a prepared corpus aside for ``edge-vc evaluate``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edge_vc.data.corpus import write_metadata
from edge_vc.data.utterance import Utterance
from edge_vc.prepare.output import DROPPED
from edge_vc.prepare.settings import PrepareError
from edge_vc.prepare.split import VALIDATION, lot

EVALUATION = "evaluation"
"""Folder of that part, a corpus of its own."""
LEAST_REFERENCES = 4
"""Least number of target recordings set aside; half of them if there are fewer than twice as many,
but at least two."""


def check_evaluation(speakers: Sequence[str], targets: Sequence[str]) -> None:
    """Raise `PrepareError` if no evaluation set can be made from the recordings."""
    others = sorted(set(speakers) - set(targets))
    if not targets:
        raise PrepareError(
            "--evaluation: there is no target. Give --target NAME, one of "
            f"{', '.join(others)}; or put the target's recordings into a folder called target"
        )
    if len(others) < 2:
        raise PrepareError(
            f"--evaluation: needs two speakers besides the target, one for training and one for "
            f"evaluation, not {len(others)}; each folder of recordings is a speaker"
        )


def hold_out(root: Path, rows: Sequence[Utterance], share: float, seed: int) -> list[Utterance]:
    """Write ``root/evaluation`` and return the rows that remain for training.

    The speakers on the validation side are set aside as ``unseen-source``, and a ``share`` of the
    target's pieces as ``target-reference``. The choice depends on names and ``seed`` alone. Files
    are hard-linked, so they take no extra space.
    """
    own = sorted(
        (row for row in rows if row.role.startswith("target")),
        key=lambda row: (lot(row.utt_id, seed), row.utt_id),
    )
    if len(own) < 2:
        raise PrepareError(
            f"--evaluation: {len(own)} recordings of the target are left, and two are needed; "
            f"{DROPPED} names what was left out"
        )
    count = min(max(LEAST_REFERENCES, round(share * len(own))), max(2, len(own) // 2))
    references = {row.path for row in own[:count]}
    held = [
        replace(row, role="target-reference" if row.path in references else "unseen-source")
        for row in rows
        if row.path in references or row.path.is_relative_to(root / VALIDATION)
    ]
    folder = root / EVALUATION
    placed = [replace(row, path=_placed(row, folder)) for row in held]
    _sweep(folder, {row.path for row in placed})
    write_metadata(folder, placed)
    gone = {row.path for row in held}
    return [row for row in rows if row.path not in gone]


def _placed(row: Utterance, folder: Path) -> Path:
    path = folder / row.speaker / row.path.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    try:
        os.link(row.path, path)
    except OSError:  # a file system without hard links
        shutil.copyfile(row.path, path)
    return path


def _sweep(folder: Path, wanted: set[Path]) -> None:
    """Delete files that an earlier run set aside and this one does not."""
    for path in folder.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()

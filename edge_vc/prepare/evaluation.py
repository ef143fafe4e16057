"""Sets a part of a prepared corpus aside for ``edge-vc evaluate``."""

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
"""Folder of the part, a corpus of its own."""
LEAST_REFERENCES = 4
"""Recordings of the target that are set aside; of fewer than twice as many half, but two."""


def check_evaluation(speakers: Sequence[str], targets: Sequence[str]) -> None:
    """Raise `PrepareError` for recordings that no evaluation can be made from."""
    others = sorted(set(speakers) - set(targets))
    if not targets:
        raise PrepareError(
            "--evaluation: whose voice is the target? Give --target NAME, one of "
            f"{', '.join(others)}; or put the target's recordings into a folder called target"
        )
    if len(others) < 2:
        raise PrepareError(
            f"--evaluation: needs two speakers besides the target, one to learn from and one that "
            f"nothing learns from; here are {len(others)}: a speaker is a folder of recordings"
        )


def hold_out(root: Path, rows: Sequence[Utterance], share: float, seed: int) -> list[Utterance]:
    """Write ``root/evaluation`` and return the rows that are left to learn from.

    Set aside are the speakers on the validation side, as ``unseen-source``, and a ``share`` of the
    target's pieces, as ``target-reference``. The choice depends on names and ``seed`` alone. Files
    are linked, so that they take no space.
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
    """Delete what an earlier run set aside and this one does not."""
    for path in folder.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()

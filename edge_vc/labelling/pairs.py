"""Labels as a folder of WAV pairs in LLVC's dataset layout, for other tools and for listening."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import soundfile

from edge_vc.labelling.folder import LabelFolder
from edge_vc.labelling.label import RATE
from edge_vc.labelling.labels import load_labels
from edge_vc.labelling.report import LabelledRow, LabelReport
from edge_vc_runtime.files.writing import write_whole

SHARES = {"train": 230, "val": 243, "dev": 256}
"""Upper limits of a key's first byte: nine in ten recordings are for training."""


def write_pairs(report: LabelReport, folder: Path, sample_rate: int = RATE) -> Path:
    """Write kept labels as ``pairs/{train,val,dev}/NAME_original.wav`` and ``_converted.wav``.

    The part depends on the recording's content, so it stays the same when a corpus grows. An
    intact file that is already there is kept. ``sample_rate`` in Hz is that of the labels. A
    `PairsFolder` reads the result.
    """
    stored = LabelFolder(folder)
    for part in SHARES:
        (folder / "pairs" / part).mkdir(parents=True, exist_ok=True)
    for row, part in _parts(report.kept):
        stem = folder / "pairs" / part / f"{row.utterance.utt_id}-{row.outcome.key[:8]}"
        labels = load_labels(stored.path(row.outcome.key))
        _write(stem.with_name(f"{stem.name}_original.wav"), labels.source, sample_rate)
        _write(stem.with_name(f"{stem.name}_converted.wav"), labels.target, sample_rate)
    return folder / "pairs"


def _parts(rows: Iterable[LabelledRow]) -> Iterable[tuple[LabelledRow, str]]:
    for row in rows:
        first = int(row.outcome.key[:2], 16)
        yield row, next(part for part, limit in SHARES.items() if first < limit)


def _write(path: Path, samples: object, sample_rate: int) -> None:
    content = io.BytesIO()
    soundfile.write(content, samples, sample_rate, subtype="PCM_16", format="WAV")
    if not path.is_file() or path.read_bytes() != content.getvalue():
        write_whole(path, content.getvalue())

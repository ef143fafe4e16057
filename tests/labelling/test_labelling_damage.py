"""Damaged labels are noticed and made again, and only they."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from damages import Damage, every
from labelling_toys import late
from voices import record

from edge_vc.data.corpus import Corpus
from edge_vc.labelling.folder import LabelFolder, LabelFolderError
from edge_vc.labelling.job import LabelJob, LabelSettings, recordings_for
from edge_vc.labelling.labels import LabelsError, load_labels
from edge_vc.labelling.opener import TeacherOpener
from edge_vc.labelling.pairs import write_pairs
from edge_vc.labelling.report import LabelReport, load_report
from edge_vc.workers.inline_pool import InlinePool


def label(folder: Path) -> LabelReport:
    spec, corpus = late(folder), Corpus.open(folder / "recordings")
    settings = LabelSettings(correct=False)
    job = LabelJob(spec, recordings_for(spec, corpus), folder / "out", settings)
    return job.run(InlinePool(TeacherOpener(spec)))


@every
def test_damaged_labels_are_made_again_and_only_they(tmp_path: Path, damage: Damage) -> None:
    record(tmp_path / "recordings", 3, 1.0)
    report = label(tmp_path)
    out = tmp_path / "out"
    paths = [LabelFolder(out).path(row.outcome.key) for row in report.kept]
    before = [path.read_bytes() for path in paths]
    pairs = {path: path.read_bytes() for path in write_pairs(report, out).rglob("*.wav")}
    damage(paths[1], paths[0])
    with pytest.raises(LabelFolderError, match="the labels of 01 are missing or damaged"):
        load_report(out)
    log = tmp_path / "log"
    asked = len(log.read_text().splitlines())
    assert label(tmp_path) == report
    assert len(log.read_text().splitlines()) == asked + 1
    assert [path.read_bytes() for path in paths] == before
    first, second = sorted(pairs)[:2]
    damage(first, second)
    write_pairs(report, out)
    assert {path: path.read_bytes() for path in (out / "pairs").rglob("*.wav")} == pairs


def test_labels_that_are_not_whole_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    for content in (b"", b"PK\x03\x04", b"no zip at all"):
        path.write_bytes(content)
        with pytest.raises(LabelsError, match="these labels are missing or damaged"):
            load_labels(path)


def test_what_is_kept_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The labels are flushed, and so is the line that says that they are there."""
    flushed: list[str] = []
    sync = os.fsync

    def fsync(handle: int) -> None:
        flushed.append(os.path.basename(os.readlink(f"/proc/self/fd/{handle}")))
        sync(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    record(tmp_path / "recordings", 1, 1.0)
    report = label(tmp_path)
    assert "journal.jsonl" in flushed
    assert len(flushed[: flushed.index("journal.jsonl")]) >= 2, "the labels and their folder"
    line = json.loads((tmp_path / "out" / "journal.jsonl").read_text())
    path = LabelFolder(tmp_path / "out").path(report.kept[0].outcome.key)
    assert line["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()

"""Labelling a corpus: what teachers do wrong is named, the rest goes on, nothing is done twice."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from labelling_toys import MOODS, late, moody
from voices import record, voice

from edge_vc.audio.io import AudioError
from edge_vc.data.corpus import Corpus
from edge_vc.labelling.folder import LabelFolder, LabelFolderError
from edge_vc.labelling.job import LabelJob, LabelSettings, recordings_for
from edge_vc.labelling.labels import load_labels
from edge_vc.labelling.opener import TeacherOpener
from edge_vc.labelling.pairs import write_pairs
from edge_vc.labelling.report import LabelReport, load_report
from edge_vc.teachers.module import ModuleSpec
from edge_vc.teachers.pairs_folder import PairsSpec
from edge_vc.teachers.spec import TeacherError, TeacherSpec
from edge_vc.workers.inline_pool import InlinePool
from edge_vc.workers.process_pool import ProcessPool
from edge_vc.workers.scheduler import Timeouts


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus.open(record(tmp_path / "recordings", 4))


def label(spec: TeacherSpec, corpus: Corpus, folder: Path, **settings) -> LabelReport:
    job = LabelJob(spec, recordings_for(spec, corpus), folder, LabelSettings(**settings))
    return job.run(InlinePool(TeacherOpener(spec)))


def asked(folder: Path) -> list[str]:
    log = folder / "log"
    return log.read_text().splitlines() if log.exists() else []


def test_every_recording_gets_its_labels(corpus, tmp_path):
    report = label(late(tmp_path), corpus, tmp_path / "out")
    assert len(report.kept) == 4
    for row in report.kept:
        labels = load_labels(LabelFolder(tmp_path / "out").path(row.outcome.key))
        np.testing.assert_allclose(labels.target, labels.source / 2, atol=1)
        assert len(labels.f0) == len(labels.source) // 160
        assert len(labels.source) == pytest.approx(16000 * row.utterance.seconds, abs=160)
    assert load_report(tmp_path / "out") == report


def test_a_teacher_that_is_always_late_is_put_right(corpus, tmp_path):
    report = label(late(tmp_path, 800), corpus, tmp_path / "out")
    assert report.teacher.common_ms == pytest.approx(50, abs=1)
    assert {row.outcome.undone_ms for row in report.kept} == {report.teacher.common_ms}
    facts = report.delay()
    assert facts["median_ms"] == pytest.approx(50, abs=1)
    assert facts["undone"] == 4
    labels = load_labels(LabelFolder(tmp_path / "out").path(report.kept[0].outcome.key))
    shift = round(report.teacher.common_ms * 16) - 800
    assert abs(shift) <= 16
    middle = slice(1000, 20000)
    moved = np.roll(labels.target, shift)[middle]
    np.testing.assert_allclose(moved, labels.source[middle] / 2, atol=1)


@pytest.mark.parametrize(
    ("settings", "undone"), [({"correct": False}, 0.0), ({"delay_ms": 45.0}, 45.0)]
)
def test_a_delay_can_be_said_or_left_alone(corpus, tmp_path, settings, undone):
    report = label(late(tmp_path, 800), corpus, tmp_path / "out", **settings)
    assert [row.outcome.undone_ms for row in report.kept] == [undone] * 4
    # Nothing was measured beforehand: each recording was converted once.
    assert len(asked(tmp_path)) == 4


def test_a_second_run_asks_nothing(corpus, tmp_path):
    first = label(late(tmp_path), corpus, tmp_path / "out")
    before = len(asked(tmp_path))
    assert label(late(tmp_path), corpus, tmp_path / "out") == first
    assert len(asked(tmp_path)) == before


def test_a_changed_recording_is_labelled_again_and_only_it(corpus, tmp_path):
    label(late(tmp_path), corpus, tmp_path / "out")
    before = len(asked(tmp_path))
    soundfile.write(tmp_path / "recordings" / "01.wav", voice(1.5, seed=8), 16000)
    again = label(late(tmp_path), Corpus.open(tmp_path / "recordings"), tmp_path / "out")
    assert len(again.kept) == 4
    assert len(asked(tmp_path)) == before + 1


def test_labels_that_vanished_are_made_again(corpus, tmp_path):
    report = label(late(tmp_path), corpus, tmp_path / "out")
    path = LabelFolder(tmp_path / "out").path(report.kept[2].outcome.key)
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(LabelFolderError, match="the labels of 02 are missing"):
        load_report(tmp_path / "out")
    label(late(tmp_path), corpus, tmp_path / "out")
    assert path.read_bytes() == content


def test_a_line_that_a_kill_cut_short_is_passed_over(corpus, tmp_path):
    first = label(late(tmp_path), corpus, tmp_path / "out")
    journal = tmp_path / "out" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-40])
    before = len(asked(tmp_path))
    assert label(late(tmp_path), corpus, tmp_path / "out") == first
    assert len(asked(tmp_path)) == before + 1
    label(late(tmp_path), corpus, tmp_path / "out")
    assert len(asked(tmp_path)) == before + 1


def test_the_same_recording_twice_is_labelled_once(corpus, tmp_path):
    folder = tmp_path / "recordings"
    (folder / "copy.wav").write_bytes((folder / "00.wav").read_bytes())
    report = label(late(tmp_path), Corpus.open(folder), tmp_path / "out", correct=False)
    assert len(report.kept) == 5
    assert len({row.outcome.key for row in report.kept}) == 4
    assert len(asked(tmp_path)) == 4


def test_another_teacher_needs_another_folder(corpus, tmp_path):
    label(late(tmp_path), corpus, tmp_path / "out")
    with pytest.raises(LabelFolderError, match="holds labels of another teacher"):
        label(late(tmp_path, 5), corpus, tmp_path / "out")


def test_two_jobs_do_not_share_a_folder(corpus, tmp_path):
    with (
        LabelFolder(tmp_path / "out").locked(),
        pytest.raises(LabelFolderError, match="another job labels into this folder"),
    ):
        label(late(tmp_path), corpus, tmp_path / "out")


def test_speeds_vary_the_speaker(corpus, tmp_path):
    spec = late(tmp_path)
    own = replace(corpus.utterances[0], role="target")
    recordings = recordings_for(spec, [own, corpus.utterances[1]], vary=True)
    assert [speed for _, speed in recordings] == [0.87, 1.15, 1.0, 0.87, 1.15]
    job = LabelJob(spec, recordings, tmp_path / "out", LabelSettings())
    rows = job.run(InlinePool(TeacherOpener(spec))).kept
    keys = [row.outcome.key for row in rows]
    slow, fast = (len(load_labels(LabelFolder(tmp_path / "out").path(k)).source) for k in keys[:2])
    assert slow / fast == pytest.approx(1.15 / 0.87, rel=0.02)


def test_a_file_that_is_no_audio_is_left_out(corpus, tmp_path):
    corpus.utterances[1].path.write_bytes(b"junk")
    report = label(late(tmp_path), corpus, tmp_path / "out")
    assert report.reasons == {"bad recording": 1}
    assert len(report.kept) == 3


def test_a_recording_that_is_gone_stops_the_job(corpus, tmp_path):
    corpus.utterances[1].path.unlink()
    with pytest.raises(AudioError, match=r"01\.wav: cannot be read \(No such file"):
        label(late(tmp_path), corpus, tmp_path / "out")


def test_ctrl_c_leaves_a_report_of_what_is_done(corpus, tmp_path):
    spec = late(tmp_path)
    settings = LabelSettings(correct=False)
    job = LabelJob(spec, recordings_for(spec, corpus), tmp_path / "out", settings)

    def impatient(outcomes, total, label):
        assert total == 4
        for number, outcome in enumerate(outcomes):
            yield outcome
            if number == 1:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        job.run(InlinePool(TeacherOpener(spec)), impatient)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert not report["complete"]
    assert report["kept"] == 2


def test_pairs_are_written_in_llvcs_layout_and_teach(corpus, tmp_path):
    report = label(late(tmp_path), corpus, tmp_path / "out")
    folder = write_pairs(report, tmp_path / "out")
    assert {path.name for path in folder.iterdir()} == {"train", "val", "dev"}
    spec = PairsSpec(path=str(folder))
    again = label(spec, Corpus.open(folder), tmp_path / "again")
    assert len(again.kept) == again.wanted == 4
    first = load_labels(LabelFolder(tmp_path / "out").path(report.kept[0].outcome.key))
    lengths = {len(first.target)}
    targets = [load_labels(LabelFolder(tmp_path / "again").path(r.outcome.key)) for r in again.kept]
    match = next(labels for labels in targets if len(labels.target) in lengths)
    np.testing.assert_allclose(match.target, first.target, atol=3)


def test_a_pairs_folder_lists_what_has_no_other_half(corpus, tmp_path):
    report = label(late(tmp_path), corpus, tmp_path / "out")
    folder = write_pairs(report, tmp_path / "out")
    lost = sorted(folder.rglob("*_converted.wav"))[0]
    lost.unlink()
    spec = PairsSpec(path=str(folder))
    again = label(spec, Corpus.open(folder), tmp_path / "again")
    name = lost.relative_to(folder).as_posix().replace("_converted", "_original")
    assert again.unmatched == (name,)
    assert again.wanted == len(again.kept) == 3
    assert name in (tmp_path / "again" / "report.md").read_text()
    with pytest.raises(TeacherError, match="set data.vary = false"):
        recordings_for(spec, corpus, vary=True)


REASONS = {
    "short": "wrong length",
    "nan": "not a number",
    "silent": "silent",
    "dies": "died",
    "hangs": "no answer",
    "raises": "failed",
    "clips": "clipped",
    "loses": "speech lost",
    "other": "other speech",
    "rate": "wrong length",
}


def reasons(report: LabelReport) -> dict[str, str]:
    return {MOODS[int(r.utterance.utt_id)]: r.outcome.reason for r in report.dropped}


def test_bad_answers_are_left_out_with_a_reason_each(tmp_path):
    folder = record(tmp_path / "recordings", len(MOODS))
    for mood in ("dies", "hangs"):
        (folder / f"{MOODS.index(mood):02d}.wav").unlink()
    report = label(moody(tmp_path), Corpus.open(folder), tmp_path / "out", correct=False)
    expected = {mood: why for mood, why in REASONS.items() if mood not in ("dies", "hangs")}
    assert reasons(report) == expected
    assert len(report.kept) == 2


@pytest.mark.slow
def test_whatever_a_teacher_does_the_rest_goes_on(tmp_path):
    corpus = Corpus.open(record(tmp_path / "recordings", len(MOODS)))
    spec = moody(tmp_path)
    settings = LabelSettings(correct=False, timeouts=Timeouts(item=2.0))

    def run() -> LabelReport:
        job = LabelJob(spec, recordings_for(spec, corpus), tmp_path / "out", settings)
        return job.run(ProcessPool(TeacherOpener(spec), 1))

    report = run()
    assert reasons(report) == REASONS
    found = {MOODS[int(row.utterance.utt_id)]: row.outcome for row in report.rows}
    assert found["dies"].fact == "the worker ended with exit code 7, 2 times"
    assert found["hangs"].fact == "not done after 2 s"
    assert found["raises"].fact == "RuntimeError: out of patience"
    assert "set output_sample_rate = 48000" in found["rate"].fact
    table = (tmp_path / "out" / "report.md").read_text()
    for mood, outcome in found.items():
        row = f"{MOODS.index(mood):02d}.wav | 1 | {outcome.reason} |"
        assert (row in table) == bool(outcome.reason)
    # Those that may do better next time are asked again, and only those.
    first = Counter(asked(tmp_path))
    assert first["dies"] == 2
    run()
    again = Counter(asked(tmp_path)) - first
    assert again == {"dies": 2, "hangs": 1, "raises": 1}


@pytest.mark.slow
def test_processes_share_the_work_and_agree_with_one(tmp_path):
    corpus = Corpus.open(record(tmp_path / "recordings", 8))
    spec = late(tmp_path, seconds=0.1)
    inline = label(spec, corpus, tmp_path / "one", correct=False)
    (tmp_path / "log").unlink()
    job = LabelJob(
        spec, recordings_for(spec, corpus), tmp_path / "two", LabelSettings(correct=False)
    )
    parallel = job.run(ProcessPool(TeacherOpener(spec), 2))
    assert parallel.rows == inline.rows
    pids = Counter(line.split()[0] for line in asked(tmp_path))
    assert len(pids) == 2
    assert sum(pids.values()) == 8
    for row in inline.kept:
        name = f"labels/{row.outcome.key}.npz"
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_teacher_that_cannot_be_opened_stops_the_job(corpus, tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("def make():\n    raise RuntimeError('no GPU')\n")
    spec = ModuleSpec(factory=f"{path}:make")
    job = LabelJob(spec, recordings_for(spec, corpus), tmp_path / "out", LabelSettings())
    with pytest.raises(TeacherError, match="RuntimeError: no GPU"):
        job.run(ProcessPool(TeacherOpener(spec), 1))


@pytest.mark.slow
def test_workers_that_die_while_they_start_stop_the_job(corpus, tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("import os\ndef make():\n    os._exit(3)\n")
    spec = ModuleSpec(factory=f"{path}:make")
    job = LabelJob(spec, recordings_for(spec, corpus), tmp_path / "out", LabelSettings())
    with pytest.raises(
        TeacherError, match="teacher does not open: workers end while .* exit code 3"
    ):
        job.run(ProcessPool(TeacherOpener(spec), 1))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text[:-20], "is damaged"),
        (lambda text: text.replace('"version": 2', '"version": 9'), "is of version 9"),
        (lambda text: text.replace('"key": "', '"key": "../../'), "is damaged"),
    ],
)
def test_a_report_from_elsewhere_is_parsed_as_such(corpus, tmp_path, change, words):
    label(late(tmp_path), corpus, tmp_path / "out")
    path = tmp_path / "out" / "report.json"
    path.write_text(change(path.read_text()))
    with pytest.raises(LabelFolderError, match=words):
        load_report(tmp_path / "out")

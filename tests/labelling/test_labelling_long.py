"""Recordings of any length: labelled part by part, equal to the whole at the seams."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from labelling_toys import late
from voice_toys import TINY, with_toy
from voices import voice

from edge_vc.audio import long_pitch
from edge_vc.audio.io import read_audio
from edge_vc.data.corpus import Corpus
from edge_vc.labelling import job, long_recording, piece, task
from edge_vc.labelling.folder import LabelFolder
from edge_vc.labelling.job import LabelJob, LabelSettings, recordings_for
from edge_vc.labelling.label import Alignment, label_recording
from edge_vc.labelling.labels import LabelledAudio, load_labels
from edge_vc.labelling.opener import TeacherOpener
from edge_vc.labelling.report import LabelReport, load_report
from edge_vc.models.content import registry
from edge_vc.models.voice.file import save_voice
from edge_vc.models.voice.network import VoiceNetwork
from edge_vc.teachers.loading import open_teacher
from edge_vc.teachers.network_file import SHIPPED, DefaultSpec
from edge_vc.teachers.pairs_folder import PairsSpec
from edge_vc.teachers.spec import TeacherSpec
from edge_vc.workers.inline_pool import InlinePool

HALF = SimpleNamespace(sample_rate=16000, convert=lambda audio: audio / 2)
SECONDS, PART = 6.3, 2
CLOSE = 20
"""Of 32767: what rounding makes of the phase of pulses, -64 dB."""


@pytest.fixture
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 2 s, of recordings above 3 s, that are looked at in pieces of 3 s."""
    for module in (piece, task, long_recording):
        monkeypatch.setattr(module, "LONGEST_SECONDS", 3.0)
    monkeypatch.setattr(long_recording, "PART_SECONDS", PART)
    monkeypatch.setattr(long_recording, "CONTEXT_SECONDS", 1)
    monkeypatch.setattr(long_pitch, "PART_SECONDS", 3.0)
    monkeypatch.setattr("edge_vc.audio.mel.CHUNK_FRAMES", 250)


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that was not trained says nothing that follows what was said."""
    monkeypatch.setattr("edge_vc.labelling.label.check_sound", lambda *_: None)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DefaultSpec:
    """A voice whose encoder, unlike those that ship, hears no further than a frame."""
    monkeypatch.setattr(registry, "CONTENTS", with_toy())
    torch.manual_seed(0)
    path = save_voice(VoiceNetwork(TINY), tmp_path / "tiny.safetensors", {})
    return DefaultSpec(weights=str(path))


def speech(seconds: float = SECONDS, rate: int = 16000) -> np.ndarray:
    """Soft at first, loud in the end: a part alone would be levelled otherwise."""
    return voice(seconds, rate=rate) * np.linspace(0.2, 1, round(seconds * rate), dtype=np.float32)


def corpus_of(folder: Path, audio: np.ndarray, rate: int = 16000) -> Corpus:
    folder.mkdir()
    soundfile.write(folder / "long.wav", audio, rate, subtype="FLOAT")
    return Corpus.open(folder)


def label(spec: TeacherSpec, corpus: Corpus, out: Path, **settings) -> LabelReport:
    jobs = LabelJob(spec, recordings_for(spec, corpus), out, LabelSettings(**settings))
    return jobs.run(InlinePool(TeacherOpener(spec)))


def joined(report: LabelReport, out: Path) -> LabelledAudio:
    """The labels of all parts, one after the other."""
    parts = [load_labels(LabelFolder(out).path(row.outcome.key)) for row in report.kept]
    columns = ("source", "target", "f0", "bands", "contents")
    return LabelledAudio(
        *(np.concatenate([getattr(p, name) for p in parts], axis=-1) for name in columns)
    )


@pytest.mark.usefixtures("short_parts", "unchecked")
@pytest.mark.parametrize("given", [16000, 22050], ids=["same rate", "another rate"])
def test_the_parts_join_to_the_labels_of_the_whole(tiny, tmp_path: Path, given: int) -> None:
    audio = speech(rate=given)
    corpus = corpus_of(tmp_path / "c", audio, given)
    report = label(tiny, corpus, tmp_path / "out")
    assert [row.part for row in report.rows] == [(0, 2), (2, 4), (4, pytest.approx(6.3))]
    assert load_report(tmp_path / "out") == report
    assert report.to_dict()["complete"]
    assert report.to_dict()["seconds_kept"] == pytest.approx(SECONDS)
    parts = joined(report, tmp_path / "out")
    heard = read_audio(corpus.utterances[0].path, 16000)
    whole = label_recording(open_teacher(tiny), heard, Alignment()).labels
    assert np.abs(parts.source.astype(int) - whole.source).max() <= 1
    np.testing.assert_allclose(parts.f0, whole.f0, rtol=1e-4)
    np.testing.assert_allclose(parts.bands, whole.bands, atol=1e-2)
    np.testing.assert_allclose(parts.contents, whole.contents, atol=1e-2)
    assert np.abs(parts.target.astype(int) - whole.target).max() <= CLOSE
    assert np.abs(whole.target).max() > 3000


@pytest.mark.usefixtures("short_parts", "unchecked")
def test_a_teacher_of_another_rate_than_the_labels(tiny, tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "c", speech(rate=24000), 24000)
    report = label(tiny, corpus, tmp_path / "out", sample_rate=24000)
    assert len(report.kept) == 3
    heard = read_audio(corpus.utterances[0].path, 24000)
    whole = label_recording(open_teacher(tiny), heard, Alignment(False), 24000).labels
    apart = joined(report, tmp_path / "out").target.astype(int) - whole.target
    assert np.abs(apart).max() <= 2 * CLOSE


@pytest.mark.usefixtures("short_parts")
@pytest.mark.parametrize("samples", [0, 800], ids=["in time", "50 ms late"])
def test_somebody_else_s_teacher_in_parts(tmp_path: Path, samples: int) -> None:
    spec = late(tmp_path, samples)
    delay = samples / 16 if samples else None  # measured, but given where it has to be exact
    report = label(spec, corpus_of(tmp_path / "c", speech()), tmp_path / "out", delay_ms=delay)
    assert len(report.kept) == 3
    parts = joined(report, tmp_path / "out")
    assert len(parts.source) >= 16000 * SECONDS - 160 * 3 - samples
    assert np.abs(parts.target - parts.source / 2).max() <= 1


@pytest.mark.usefixtures("short_parts")
def test_pairs_are_read_part_by_part(tmp_path: Path) -> None:
    root = tmp_path / "pairs"
    root.mkdir()
    soundfile.write(root / "a_original.wav", voice(SECONDS), 16000, subtype="FLOAT")
    soundfile.write(root / "a_converted.wav", voice(SECONDS) / 2, 16000, subtype="FLOAT")
    spec = PairsSpec(path=str(root))
    report = label(spec, Corpus.open(root), tmp_path / "out")
    assert len(report.kept) == 3, report.dropped
    for row in report.kept:
        labels = load_labels(LabelFolder(tmp_path / "out").path(row.outcome.key))
        assert np.abs(labels.target - labels.source / 2).max() <= 1


@pytest.mark.usefixtures("short_parts")
def test_what_was_labelled_is_not_labelled_again(tmp_path: Path, monkeypatch) -> None:
    spec, out = late(tmp_path), tmp_path / "out"
    corpus = corpus_of(tmp_path / "c", speech())
    first = label(spec, corpus, out)
    count = len((tmp_path / "log").read_text().splitlines())
    gone = LabelFolder(out).path(first.kept[1].outcome.key)
    content = gone.read_bytes()
    gone.unlink()
    assert label(spec, corpus, out) == first
    assert len((tmp_path / "log").read_text().splitlines()) == count + 1
    assert gone.read_bytes() == content
    monkeypatch.setattr(job, "long_recording", None)  # nothing is spooled when all is there
    assert label(spec, corpus, out) == first


@pytest.mark.usefixtures("short_parts")
def test_a_header_that_lies_about_the_length_changes_nothing(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "c", speech())
    short = (replace(corpus.utterances[0], seconds=1.0),)
    report = label(late(tmp_path), replace(corpus, utterances=short), tmp_path / "out")
    assert len(report.kept) == 3
    grand = (replace(corpus_of(tmp_path / "d", speech(2.0)).utterances[0], seconds=9000.0),)
    report = label(late(tmp_path), replace(corpus, utterances=grand), tmp_path / "two")
    assert [row.part for row in report.kept] == [None]


@pytest.mark.usefixtures("short_parts")
def test_a_long_recording_that_cannot_be_used_is_left_out(tmp_path: Path) -> None:
    audio = speech()
    audio[90_000] = np.nan
    report = label(late(tmp_path), corpus_of(tmp_path / "c", audio), tmp_path / "out")
    assert report.reasons == {"bad recording": 1}
    assert "sample 90000 is NaN" in report.rows[0].outcome.fact
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith("tmp")]


PIECES = (
    "edge_vc.models.voice.head.CHUNK_FRAMES",
    "edge_vc.audio.mel.CHUNK_FRAMES",
    "edge_vc.teachers.network.CHUNK_FRAMES",
    "edge_vc.audio.features.BLOCK_FRAMES",
    "edge_vc.audio.pitch._BLOCK",
    "edge_vc.audio.pitch._CORRELATED",
)
"""What a teacher of ours works on at once, in frames."""


def test_pieces_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    teacher, audio = open_teacher(SHIPPED), voice(1.5)
    whole = label_recording(teacher, audio, Alignment())
    for name in PIECES:
        monkeypatch.setattr(name, 61)
    pieces = label_recording(teacher, audio, Alignment())
    np.testing.assert_array_equal(pieces.labels.f0, whole.labels.f0)
    np.testing.assert_allclose(pieces.labels.bands, whole.labels.bands, atol=2e-2)
    apart = pieces.labels.target.astype(int) - whole.labels.target
    assert np.abs(apart).max() <= 2
    assert pieces.delay.ms == pytest.approx(whole.delay.ms, abs=1e-3)


HOUR = """
import resource, sys
from pathlib import Path
from edge_vc.data.corpus import Corpus
from edge_vc.labelling.job import LabelJob, LabelSettings, recordings_for
from edge_vc.labelling.opener import TeacherOpener
from edge_vc.teachers.network_file import SHIPPED
from edge_vc.workers.inline_pool import InlinePool
recordings = recordings_for(SHIPPED, Corpus.open(sys.argv[1]))
job = LabelJob(SHIPPED, recordings, Path(sys.argv[2]), LabelSettings())
report = job.run(InlinePool(TeacherOpener(SHIPPED)))
print(len(report.kept), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_an_hour_takes_less_than_a_gigabyte(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    minute = voice(60.0)
    with soundfile.SoundFile(folder / "hour.wav", "w", 16000, 1, "PCM_16") as file:
        for _ in range(60):
            file.write(minute)
    words = [sys.executable, "-c", HOUR, str(folder), str(tmp_path / "out")]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    sys.stdout.write(shown)  # the figure, with -rP
    kept, megabytes = map(int, shown.split()[-2:])
    assert kept == 120
    assert megabytes < 1000

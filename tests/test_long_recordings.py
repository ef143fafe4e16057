"""Memory does not grow with the length of a recording, in whatever reads one."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import soundfile
import torch
from onnx import TensorProto, helper, save
from voices import voice

from edge_vc.assets import bundle_path
from edge_vc.audio.io import read_beginning
from edge_vc.audio.long_audio import SpooledAudio, file_blocks
from edge_vc.audio.mel import LogMel
from edge_vc.audio.voice_activity import SpeechDetector
from edge_vc.augmentation.augment import AugmentSettings, Surroundings, augment
from edge_vc.augmentation.noise_bank import read_folder
from edge_vc.data.corpus import Corpus
from edge_vc.data.cut_recordings import LONGEST, SHORTEST, cut_recordings
from edge_vc.data.utterance import Utterance
from edge_vc.evaluate.evaluation import MOST_SECONDS
from edge_vc.evaluate.selection import select_sentences
from edge_vc.evaluate.systems.converted_folder import open_folder
from edge_vc.labelling.job import LabelJob, LabelSettings, recordings_for
from edge_vc.labelling.opener import TeacherOpener
from edge_vc.labelling.pairs import write_pairs
from edge_vc.prepare.examine import examine
from edge_vc.serve.recording import RecordingConversion, measure_recording
from edge_vc.settings.optional import EvaluationError
from edge_vc.teachers.onnx_file import OnnxSpec
from edge_vc.teachers.pairs_folder import PairsSpec
from edge_vc.teachers.spec import TeacherSpec
from edge_vc.teachers.survey import make_survey
from edge_vc.workers.inline_pool import InlinePool
from edge_vc_runtime import Session
from edge_vc_runtime.audio.file_sink import FileSink
from edge_vc_runtime.audio.file_source import FileSource
from edge_vc_runtime.live.offline import convert_stream

RATE = 16000
SHORT, LONG = 35, 95
MOST = (LONG - SHORT) * RATE * 4 // 3
"""Bytes that may be added: a third of what the longer one has more, as float32."""
Work = Callable[[Path], object]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows far below the short recording."""
    for module in ("piece", "task", "long_recording"):
        monkeypatch.setattr(f"edge_vc.labelling.{module}.LONGEST_SECONDS", 8.0)
    monkeypatch.setattr("edge_vc.labelling.long_recording.PART_SECONDS", 5)
    monkeypatch.setattr("edge_vc.labelling.long_recording.CONTEXT_SECONDS", 1)
    monkeypatch.setattr("edge_vc.audio.long_pitch.PART_SECONDS", 3.0)
    monkeypatch.setattr("edge_vc.audio.mel.CHUNK_FRAMES", 250)
    monkeypatch.setattr("edge_vc.data.cut_recordings.LONGEST_SECONDS", 8.0)
    for name in ("_LONGEST_NOISE_SECONDS", "_LONGEST_ROOM_SECONDS"):
        monkeypatch.setattr(f"edge_vc.augmentation.augment.{name}", 8.0)


def recording(folder: Path, seconds: int, name: str = "long.wav") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        for _ in range(seconds // 5):
            file.write(voice(5.0))
    return path


def label(spec: TeacherSpec, folder: Path) -> None:
    out = folder.with_name(f"{folder.name}-labels")
    recordings = recordings_for(spec, Corpus.open(folder))
    report = LabelJob(spec, recordings, out, LabelSettings()).run(InlinePool(TeacherOpener(spec)))
    assert len(report.kept) == len(report.rows) > 5
    write_pairs(report, out)


def labelled(path: Path) -> None:
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, "T"]) for n in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", ends[:1], ends[1:])
    opset, same = [helper.make_opsetid("", 17)], path.parent.parent / "same.onnx"
    save(helper.make_model(graph, opset_imports=opset, ir_version=8), same)
    label(OnnxSpec(path=str(same)), path.parent)


def labelled_pairs(path: Path) -> None:
    folder = path.parent.with_name(f"{path.parent.name}-pairs")
    folder.mkdir()
    for name in ("a_original.wav", "a_converted.wav"):
        (folder / name).write_bytes(path.read_bytes())
    label(PairsSpec(path=str(folder)), folder)


def surveyed(path: Path) -> None:
    with SpooledAudio(file_blocks(path, RATE), path.parent) as audio, torch.no_grad():
        make_survey(audio, LogMel(), RATE, 5.0)


def run(path: Path) -> None:
    session = Session.open(bundle_path("kathleen-nano"))
    source, sink = FileSource(path), FileSink(path.with_name("out.wav"), RATE)
    convert_stream(session, source, sink)
    source.close()


def served(path: Path) -> None:
    facts = measure_recording(path, 10.0, Event())
    converter = Session.open(bundle_path("kathleen-nano"))
    assert sum(map(len, RecordingConversion(facts, converter, True))) > 4 * RATE * SHORT


def examined(path: Path) -> None:
    examine(path, SpeechDetector(), lambda _: None)


def cut(path: Path) -> None:
    pieces = cut_recordings(list(Corpus.open(path.parent)), path.parent.parent / "cut", RATE)
    assert all(0.01 * SHORTEST / 2 <= piece.seconds <= 0.01 * LONGEST for piece in pieces)


def as_noise(path: Path) -> None:
    assert len(read_folder(path.parent)[0]) == 11 * RATE


def around_a_copy(path: Path) -> None:
    """As a noise and as a room of `prepare --variants`."""
    always = AugmentSettings(noise_share=1.0, room_share=1.0, voice_share=0.0, stretch_share=0.0)
    around = Surroundings.open(path.parent, path.parent)
    assert len(augment(voice(2.0), RATE, np.random.default_rng(0), always, around)) == 2 * RATE


def as_a_conversion(path: Path) -> None:
    source = Utterance(path, path.stem, "s", "", 5.0, "c", "unseen-source", "", "")
    with pytest.raises(EvaluationError, match=r"lasts \d\d.00 s, its source 5.00 s"):
        open_folder(path.parent)(source, voice(5.0))


def as_figure(path: Path) -> None:
    assert len(read_beginning(path, RATE, 20.0)) == 20 * RATE


def hashed(path: Path) -> None:
    Corpus.open(path.parent).content_hash()


def too_long_to_evaluate(path: Path) -> None:
    assert not len(Corpus.open(path.parent).shorter_than(30.0))


DEAR = (labelled, labelled_pairs, surveyed, run, served)


def peak(work: Work, path: Path) -> int:
    """Most bytes that Python and numpy held at once."""
    tracemalloc.start()
    try:
        work(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "work",
    [
        *(pytest.param(work, marks=pytest.mark.slow) for work in DEAR),
        examined,
        cut,
        as_noise,
        around_a_copy,
        as_a_conversion,
        as_figure,
        hashed,
        too_long_to_evaluate,
    ],
)
def test_memory_does_not_grow_with_the_recording(tmp_path: Path, work: Work) -> None:
    work(recording(tmp_path / "first", SHORT))  # what is loaded once
    short, long = (peak(work, recording(tmp_path / str(s), s)) for s in (SHORT, LONG))
    assert long - short < MOST, (short, long)


def test_the_pieces_of_a_cut_recording_are_all_of_it(tmp_path: Path) -> None:
    path = recording(tmp_path / "voice", SHORT)
    pieces = cut_recordings(list(Corpus.open(path.parent)), tmp_path / "cut", RATE)
    assert len(pieces) > 2
    joined = np.concatenate([soundfile.read(piece.path, dtype="float32")[0] for piece in pieces])
    whole = soundfile.read(path, dtype="float32")[0]
    assert len(whole) - len(joined) < RATE // 100
    np.testing.assert_allclose(joined, whole[: len(joined)], atol=2e-4)


def test_what_is_too_long_to_evaluate_is_named(tmp_path: Path) -> None:
    recording(tmp_path / "c", 10, "short.wav")
    recording(tmp_path / "c", int(MOST_SECONDS) + 5)
    found = Corpus.open(tmp_path / "c").shorter_than(MOST_SECONDS)
    assert [utterance.path.name for utterance in found] == ["short.wav"]
    assert found.left_out[0].notice.endswith(
        "over 120 s; cut it into sentences: edge-vc prepare keeps roles"
    )
    assert found.left_out[0].wanted
    with pytest.raises(EvaluationError, match=r"prepare .*/c -o DIR cuts them .* keeps their role"):
        select_sentences(found)

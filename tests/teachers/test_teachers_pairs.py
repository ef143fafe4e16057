from __future__ import annotations

import numpy as np
import pytest
import soundfile
from teachers_toys import darker, record_pairs
from voices import voice

from edge_vc.audio.io import read_audio
from edge_vc.teachers.loading import open_teacher, teacher_hash
from edge_vc.teachers.outliers import OutlierError
from edge_vc.teachers.pairs_folder import PairsFolder, PairsSpec
from edge_vc.teachers.spec import TeacherError


@pytest.fixture
def pairs(tmp_path):
    return record_pairs(tmp_path / "pairs")


def test_recordings_of_all_parts_have_answers(pairs):
    teacher = open_teacher(PairsSpec(path=str(pairs)))
    originals = sorted(pairs.rglob("*_original.wav"))
    assert len(originals) == 3
    for path in originals:
        audio = read_audio(path, 16000)
        np.testing.assert_allclose(teacher.convert(audio), darker(audio), atol=1e-3)


def test_a_recording_is_known_at_another_level_and_cut(pairs):
    audio = read_audio(pairs / "train" / "00_original.wav", 16000)
    asked = 0.3 * audio[: len(audio) - 100]
    answer = open_teacher(PairsSpec(path=str(pairs))).convert(asked)
    np.testing.assert_allclose(answer, 0.3 * darker(audio)[: len(asked)], atol=1e-3)


def test_an_answer_is_not_made_so_loud_that_it_clips(pairs):
    audio = read_audio(pairs / "train" / "00_original.wav", 16000)
    answer = open_teacher(PairsSpec(path=str(pairs))).convert(100 * audio)
    assert 0.5 < float(np.abs(answer).max()) <= 0.9


def test_pairs_at_another_rate_are_resampled(tmp_path):
    high = voice(1.0, rate=48000)
    soundfile.write(tmp_path / "a_original.flac", high, 48000)
    soundfile.write(tmp_path / "a_converted.wav", high, 48000)
    audio = read_audio(tmp_path / "a_original.flac", 16000)
    answer = open_teacher(PairsSpec(path=str(tmp_path))).convert(audio)
    np.testing.assert_allclose(answer, audio, atol=1e-3)


def test_another_recording_has_no_answer(pairs):
    with pytest.raises(TeacherError, match="none of its 3 originals is this recording"):
        open_teacher(PairsSpec(path=str(pairs))).convert(voice(2.0, seed=9))


def test_an_answer_of_another_length_is_refused(pairs):
    path = pairs / "train" / "00_converted.wav"
    soundfile.write(path, voice(1.5), 16000)
    audio = read_audio(pairs / "train" / "00_original.wav", 16000)
    with pytest.raises(OutlierError, match=r"wrong length: \[24000\] samples for \[32000\]"):
        open_teacher(PairsSpec(path=str(pairs))).convert(audio)


def test_halves_and_junk_are_listed(pairs):
    (pairs / "val" / "01_converted.wav").unlink()
    (pairs / "dev" / "02_original.wav").write_bytes(b"no audio")
    (pairs / "train" / "other.wav").write_bytes(b"")
    folder = PairsFolder.open(pairs)
    assert [pair.original.name for pair in folder.pairs] == ["00_original.wav"]
    names = ["01_original.wav", "02_converted.wav", "02_original.wav", "other.wav"]
    assert sorted(path.name for path in folder.unmatched) == names


def test_a_folder_without_a_pair_says_what_it_lacks(tmp_path):
    with pytest.raises(TeacherError, match="no such folder"):
        open_teacher(PairsSpec(path=str(tmp_path / "none")))
    soundfile.write(tmp_path / "a_original.wav", voice(0.5), 16000)
    with pytest.raises(TeacherError, match=r"no pair.*1 files without.*a_original\.wav"):
        open_teacher(PairsSpec(path=str(tmp_path)))


def test_the_hash_sees_every_file(pairs):
    first = teacher_hash(PairsSpec(path=str(pairs)))
    moved = pairs.rename(pairs.with_name("moved"))
    assert teacher_hash(PairsSpec(path=str(moved))) == first
    soundfile.write(moved / "dev" / "02_converted.wav", voice(2.2), 16000)
    assert teacher_hash(PairsSpec(path=str(moved))) != first

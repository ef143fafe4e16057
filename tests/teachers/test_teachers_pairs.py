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


def test_recordings_of_all_parts_have_outputs(pairs):
    teacher = open_teacher(PairsSpec(path=str(pairs)))
    originals = sorted(pairs.rglob("*_original.wav"))
    assert len(originals) == 3
    for path in originals:
        audio = read_audio(path, 16000)
        np.testing.assert_allclose(teacher.convert(audio), darker(audio), atol=1e-3)


def test_a_recording_is_known_at_another_level_and_cut(pairs):
    audio = read_audio(pairs / "train" / "00_original.wav", 16000)
    asked = 0.3 * audio[: len(audio) - 100]
    output = open_teacher(PairsSpec(path=str(pairs))).convert(asked)
    np.testing.assert_allclose(output, 0.3 * darker(audio)[: len(asked)], atol=1e-3)


def test_an_output_is_not_made_so_loud_that_it_clips(pairs):
    audio = read_audio(pairs / "train" / "00_original.wav", 16000)
    output = open_teacher(PairsSpec(path=str(pairs))).convert(100 * audio)
    assert 0.5 < float(np.abs(output).max()) <= 0.9


def test_pairs_at_another_rate_are_resampled(tmp_path):
    high = voice(1.0, rate=48000)
    soundfile.write(tmp_path / "a_original.flac", high, 48000)
    soundfile.write(tmp_path / "a_converted.wav", high, 48000)
    audio = read_audio(tmp_path / "a_original.flac", 16000)
    output = open_teacher(PairsSpec(path=str(tmp_path))).convert(audio)
    np.testing.assert_allclose(output, audio, atol=1e-3)


def test_one_recording_at_two_levels_has_two_outputs(tmp_path):
    audio = 0.5 * voice(1.0)
    for name, level, output in (("loud", 1.0, 0.2), ("soft", 0.5, 0.4)):
        soundfile.write(tmp_path / f"{name}_original.wav", level * audio, 16000, "FLOAT")
        soundfile.write(tmp_path / f"{name}_converted.wav", output * level * audio, 16000, "FLOAT")
    teacher = open_teacher(PairsSpec(path=str(tmp_path)))
    for level, output in ((1.0, 0.2), (0.5, 0.4), (0.45, 0.4)):
        found = teacher.convert(level * audio)
        np.testing.assert_allclose(found, output * level * audio, atol=1e-4)
        part = teacher.convert_part(level * audio[4000:8000], 4000, len(audio))
        np.testing.assert_allclose(part, output * level * audio[4000:8000], atol=1e-4)


def test_two_conversions_of_one_recording_are_refused_unless_they_are_equal(tmp_path):
    audio = voice(1.0)
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}_original.wav", audio, 16000, "FLOAT")
        soundfile.write(tmp_path / f"{name}_converted.wav", 0.5 * audio, 16000, "FLOAT")
    teacher = open_teacher(PairsSpec(path=str(tmp_path)))
    np.testing.assert_allclose(teacher.convert(audio), 0.5 * audio, atol=1e-4)
    soundfile.write(tmp_path / "b_converted.wav", 0.4 * audio, 16000, "FLOAT")
    with pytest.raises(TeacherError, match="two conversions of one recording; remove one"):
        teacher.convert(audio)


def test_a_pause_of_nothing_within_a_long_recording_has_its_output(tmp_path):
    audio = voice(2.0)
    audio[8000:16000] = 0
    for half in ("original", "converted"):
        soundfile.write(tmp_path / f"a_{half}.wav", audio, 16000, "FLOAT")
    teacher = open_teacher(PairsSpec(path=str(tmp_path)))
    assert not teacher.convert_part(audio[9000:14000], 9000, len(audio)).any()


def test_a_pair_of_flac_files_without_a_length_is_known(tmp_path):
    for half in ("original", "converted"):
        soundfile.write(tmp_path / f"a_{half}.flac", voice(1.0), 16000)
        content = bytearray((tmp_path / f"a_{half}.flac").read_bytes())
        content[21] &= 0xF0
        content[22:26] = bytes(4)
        (tmp_path / f"a_{half}.flac").write_bytes(content)
    audio = read_audio(tmp_path / "a_original.flac", 16000)
    output = open_teacher(PairsSpec(path=str(tmp_path))).convert(audio)
    np.testing.assert_allclose(output, audio, atol=1e-3)


def test_another_recording_has_no_output(pairs):
    with pytest.raises(TeacherError, match="none of its 3 originals is this recording"):
        open_teacher(PairsSpec(path=str(pairs))).convert(voice(2.0, seed=9))


def test_an_output_of_another_length_is_refused(pairs):
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

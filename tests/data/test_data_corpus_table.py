"""Tables that other people made, and recordings that cannot be read beside ones that can."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_vc.audio.io import write_audio
from edge_vc.data.corpus import Corpus, write_metadata
from edge_vc.data.corpus_table import METADATA, CorpusError
from edge_vc.data.file_name import file_name
from edge_vc.data.utterance import COLUMNS

RATE = 16000
HEADER = "|".join(COLUMNS)
TONE = np.sin(np.arange(1600) * 0.1).astype(np.float32) * 0.5


def recording(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_audio(path, TONE, RATE)


def table(root: Path, content: str | bytes) -> Corpus:
    data = content if isinstance(content, bytes) else content.encode()
    (root / METADATA).write_bytes(data)
    return Corpus.open(root)


@pytest.mark.parametrize("name", ["../../escaped", "p225/001", "/etc/x", "..", ".", "a\\b", ""])
def test_names_become_file_names(tmp_path: Path, name: str) -> None:
    recording(tmp_path / "a.wav")
    corpus = table(tmp_path, f"{HEADER}\na.wav|{name}|{name}|F|1|x|source||hello\n")
    for made in (corpus.utterances[0].utt_id, corpus.utterances[0].speaker):
        assert made == "" or (tmp_path / made).parent == tmp_path
        assert not made.startswith(".")
        assert "/" not in made
    assert corpus.utterances[0].utt_id


@given(st.text(max_size=300))
def test_any_text_makes_a_name(text: str) -> None:
    name = file_name(text)
    assert name == Path(name).name
    assert 0 < len(name.encode()) <= 120
    assert name.isprintable() or not set(name) & set("\n\r\0")


def test_two_lines_for_one_name_are_refused(tmp_path: Path) -> None:
    recording(tmp_path / "a.wav")
    recording(tmp_path / "b.wav")
    rows = "a.wav|p/1|s|F|1|x|source||one\nb.wav|p_1|s|F|1|x|source||two\n"
    with pytest.raises(CorpusError, match="lines 2 and 3 are both utterance 'p_1' of speaker 's'"):
        table(tmp_path, f"{HEADER}\n{rows}")
    other = rows.replace("p_1|s", "p_1|t")
    assert len(table(tmp_path, f"{HEADER}\n{other}")) == 2


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("\ufeff" + HEADER + "\na.wav|a|p|F|1|x|source||hello\n", id="mark"),
        pytest.param(HEADER + "\r\na.wav|a|p|F|1|x|source||hello\r\n", id="crlf"),
        pytest.param("text,path,speaker\nhello,a.wav,p\n", id="commas"),
        pytest.param("path\ttext\tspeaker\na.wav\thello\tp\n", id="tabs"),
        pytest.param('path;text;speaker\n"a.wav";"hello";p\n', id="quotes"),
        pytest.param("\ufeffpath|text|speaker\na.wav|hello|p\n".encode("utf-16-le"), id="utf-16"),
        pytest.param("client_id\tpath\tsentence\np\ta.wav\thello\n", id="Common Voice"),
        pytest.param("file_name,transcription,speaker_id\na.wav,hello,p\n", id="audio folder"),
        pytest.param("audio_filepath,duration,text,speaker\na.wav,1,hello,p\n", id="NeMo"),
    ],
)
def test_tables_of_spreadsheets_are_read(tmp_path: Path, content: str | bytes) -> None:
    recording(tmp_path / "a.wav")
    (one,) = table(tmp_path, content)
    assert (one.utt_id, one.speaker, one.text) == ("a", "p", "hello")
    assert one.seconds in (1.0, 0.1)


@pytest.mark.parametrize("name", ["clips/a.wav", "wavs/a.wav", "deep/er/a.wav"])
@pytest.mark.parametrize("slash", ["/", "\\"])
def test_recordings_are_found_by_what_tables_say(tmp_path: Path, name: str, slash: str) -> None:
    """Common Voice leaves ``clips/`` out; tables that were made on Windows have its slashes."""
    recording(tmp_path / name)
    said = name if name.startswith("deep") else "a.wav"
    (one,) = table(tmp_path, f"path|text\n{said.replace('/', slash)}|hello\n")
    assert one.path == (tmp_path / name).resolve()


def test_a_quoted_text_may_go_over_lines(tmp_path: Path) -> None:
    recording(tmp_path / "a.wav")
    recording(tmp_path / "b.wav")
    found = table(tmp_path, 'path,text\na.wav,"one\ntwo"\nb.wav,three\n')
    assert [one.text for one in found] == ["one two", "three"]
    found = table(tmp_path, 'path;text\na.wav;6" long\nb.wav;three\n')
    assert [one.path.name for one in found] == ["a.wav", "b.wav"]


def test_an_unknown_column_is_named_with_the_command_that_removes_it(tmp_path: Path) -> None:
    recording(tmp_path / "a.wav")
    with pytest.raises(CorpusError, match="line 1, column 3 is 'up_votes'") as caught:
        table(tmp_path, "client_id\tpath\tup_votes\tsentence\np\ta.wav\t2\thello\n")
    command = str(caught.value).partition("known ones: ")[2]
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    (one,) = Corpus.open(tmp_path)
    assert (one.speaker, one.text) == ("p", "hello")


def test_a_text_that_is_called_like_a_column_makes_no_header(tmp_path: Path) -> None:
    recording(tmp_path / "wavs/a.wav")
    (one,) = table(tmp_path, "a|audio\n")
    assert one.text == "audio"


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x85"])
def test_only_a_newline_ends_a_line(tmp_path: Path, character: str) -> None:
    recording(tmp_path / "a.wav")
    (one,) = table(tmp_path, f"{HEADER}\na.wav|a|p|F|1|x|source||hello{character}world\n")
    assert one.text == f"hello{character}world"
    write_metadata(tmp_path, [one])
    assert Corpus.open(tmp_path).utterances == (one,)


def test_latin1_names_line_column_and_command(tmp_path: Path) -> None:
    recording(tmp_path / "a.wav")
    with pytest.raises(CorpusError, match=r"line 2, column 9 is not UTF-8; .*iconv -f LATIN1"):
        table(tmp_path, f"{HEADER}\na.wav|a|p|F|1|x|source||größe\n".encode("latin1"))


@pytest.mark.parametrize("folder", ["wavs", "wav", "."])
@pytest.mark.parametrize(
    ("row", "speaker", "text"),
    [
        ("LJ-1|Printing it", "", "Printing it"),
        ("LJ-1|Printing no 1|Printing number one", "", "Printing no 1"),
        ("LJ-1|anna|Printing it", "anna", "Printing it"),
        ("LJ-1.wav|Printing it", "", "Printing it"),
    ],
)
def test_tables_of_ljspeech_and_piper(
    tmp_path: Path, folder: str, row: str, speaker: str, text: str
) -> None:
    recording(tmp_path / folder / "LJ-1.wav")
    (one,) = table(tmp_path, f"{row}\n")
    assert one.utt_id == "LJ-1" + ".wav" * (".wav" in row)
    assert (one.speaker, one.text) == (speaker or tmp_path.name, text)
    assert one.seconds == pytest.approx(0.1)


def test_an_unknown_table_says_how_to_go_on(tmp_path: Path) -> None:
    recording(tmp_path / "a.wav")
    with pytest.raises(CorpusError, match=r"LJSpeech's ID\|text .* mv metadata.csv"):
        table(tmp_path, "what|is|this\n")


def test_vctk_without_a_table(tmp_path: Path) -> None:
    for microphone in (1, 2):
        recording(tmp_path / f"wav48_silence_trimmed/p225/p225_001_mic{microphone}.flac")
    (tmp_path / "txt/p225").mkdir(parents=True)
    (tmp_path / "txt/p225/p225_001.txt").write_text("Please call Stella.\n")
    corpus = Corpus.open(tmp_path)
    (one,) = corpus
    assert (one.speaker, one.text) == ("p225", "Please call Stella.")
    assert [item.reason for item in corpus.left_out] == ["second microphone"]


def test_one_bad_file_leaves_the_others(tmp_path: Path) -> None:
    recording(tmp_path / "good.wav")
    (tmp_path / "zero.wav").touch()
    (tmp_path / "noise.flac").write_bytes(b"no audio")
    (tmp_path / "._good.wav").write_bytes(b"\0\5\x16\7")
    corpus = Corpus.open(tmp_path)
    assert [one.utt_id for one in corpus] == ["good"]
    assert sorted((item.path.name, item.reason, item.wanted) for item in corpus.left_out) == [
        ("._good.wav", "AppleDouble", False),
        ("noise.flac", "unreadable", True),
        ("zero.wav", "empty", True),
    ]


def test_one_bad_line_of_a_table_leaves_the_others(tmp_path: Path) -> None:
    recording(tmp_path / "good.wav")
    (tmp_path / "zero.wav").touch()
    corpus = table(tmp_path, "path|text\ngood.wav|a\nzero.wav|b\nmissing.wav|c\n")
    assert [one.utt_id for one in corpus] == ["good"]
    assert sorted(item.reason for item in corpus.left_out) == ["missing", "unreadable"]

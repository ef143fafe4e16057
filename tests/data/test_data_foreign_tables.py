"""Tables of NeMo, audio folders and Kaldi: read, or refused with the line and the way on."""

from __future__ import annotations

import json
import shlex
import subprocess
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_vc.audio.io import write_audio
from edge_vc.data.corpus import Corpus
from edge_vc.data.corpus_table import CorpusError

TONE = np.sin(np.arange(1600) * 0.1).astype(np.float32) * 0.5
ROW = {"audio_filepath": "wavs/a.wav", "duration": 0.1, "text": "hello", "speaker": "p", "lang": 1}

AUDIO_FOLDER = {"file_name": "wavs/a.wav", "transcription": "hello", "speaker_id": "p"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    (folder / "wavs").mkdir(parents=True)
    for name in "ab":
        write_audio(folder / "wavs" / f"{name}.wav", TONE, 16000)
    return folder


def lines(*rows: object) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("manifest.json", ROW),
        ("train_manifest.jsonl", ROW),
        ("MANIFEST.JSON", {**ROW, "offset": 0, "text": "hello", "duration": None}),
        (
            "metadata.jsonl",
            {"file_name": "wavs/a.wav", "transcription": "hello", "speaker_id": "p"},
        ),
        ("manifest.json", {**ROW, "audio_filepath": "/elsewhere/of/a.wav"}),
        ("manifest.json", {**ROW, "sentence": "not this", "extra": {"deep": [1]}}),
    ],
)
def test_json_lines_are_read(root: Path, name: str, row: object) -> None:
    (root / name).write_text("\ufeff\n" * (name == "manifest.json") + lines(row))
    (one,) = Corpus.open(root)
    assert (one.path.name, one.utt_id, one.speaker, one.text) == ("a.wav", "a", "p", "hello")
    assert one.seconds == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        ("{", "line 2 is not a line of JSON"),
        ("[1]", "line 2 is not an object {...} but [1]"),
        ("[" * 100_000, "line 2 is not a line of JSON"),
        ('{"path": ' + "9" * 5000 + "}", "line 2 is not a line of JSON"),
        ('{"audio_filepath": {"a": 1}}', "line 2: audio_filepath is {'a': 1}, not a text"),
        (lines({**ROW, "offset": 4.5}), "line 2: offset is 4.5, a part of wavs/a.wav; make a file"),
        (lines({**ROW, "duration": "long"}), "line 2: seconds is 'long', not a number"),
        (lines({**ROW, "audio_filepath": "../../x.wav"}), "line 2: ../../x.wav is outside"),
        (lines({"text": "hello"}), "line 2 names no recording"),
        (lines({**ROW, "audio_filepath": None}), "line 2 names no recording"),
    ],
)
def test_a_bad_line_of_json_is_named(root: Path, row: str, fact: str) -> None:
    good = lines({"audio_filepath": "wavs/b.wav"})
    (root / "manifest.json").write_text(good + row)
    with pytest.raises(CorpusError) as caught:
        Corpus.open(root)
    assert fact in str(caught.value)
    assert str(caught.value).startswith(f"{root}/manifest.json: ")


def test_texts_from_json_can_be_written_anywhere(root: Path) -> None:
    bad = {**ROW, "text": "half \ud83c", "speaker": "../\ud83c"}
    (root / "manifest.json").write_text(lines(bad))
    (one,) = Corpus.open(root)
    assert one.text == "half \\ud83c"
    assert f"{one.speaker}{one.utt_id}{one.text}".encode()
    assert "/" not in one.speaker


def test_several_manifests_are_joined_by_the_command_that_is_said(root: Path) -> None:
    for name in "ab":
        (root / f"{name}_manifest.json").write_text(
            lines({**ROW, "audio_filepath": f"wavs/{name}.wav"})
        )
    with pytest.raises(CorpusError, match="holds 2 tables") as caught:
        Corpus.open(root)
    command = str(caught.value).partition("join them: ")[2]
    subprocess.run(["sh", "-c", command], cwd=root, check=True)
    assert [one.utt_id for one in Corpus.open(root)] == ["a", "b"]


def test_another_manifest_is_no_table(root: Path) -> None:
    (root / "manifest.json").write_text('{"name": "a page", "icons": []}')
    assert len(Corpus.open(root)) == 2


def kaldi(root: Path, scp: str) -> Corpus:
    (root / "wav.scp").write_text(scp)
    (root / "text").write_text("u1  hello there \nu2\n")
    (root / "utt2spk").write_text("u1 anna\nu2 ../ben\n")
    (root / "spk2gender").write_text("anna f\n../ben m\n")
    return Corpus.open(root)


def test_kaldi_s_lists_are_read(root: Path) -> None:
    first, second = kaldi(root, "u1 wavs/a.wav\nu2 /data/of/somebody/b.wav\n")
    assert (first.path.name, first.utt_id, first.speaker) == ("a.wav", "u1", "anna")
    assert (first.sex, first.text) == ("F", "hello there")
    assert (second.path.name, second.speaker, second.sex, second.text) == (
        "b.wav",
        "_.__ben".replace("_.__", "__"),
        "M",
        "",
    )


@pytest.mark.parametrize(
    ("scp", "fact"),
    [
        ("u1 touch PWNED; cat wavs/a.wav |", "line 1, column 2 is a command (touch PWNED; cat"),
        ("u1 raw.ark:12", "line 1, column 2 is a part of an archive"),
        ("u1", "line 1, column 2 is missing: ID PATH"),
        ("u1 /data/c.wav", "line 1: /data/c.wav is outside the corpus folder; copy"),
    ],
)
def test_what_kaldi_s_lists_cannot_say_is_named(root: Path, scp: str, fact: str) -> None:
    with pytest.raises(CorpusError) as caught:
        kaldi(root, scp)
    assert fact in str(caught.value)
    assert not list(Path().glob("PWNED"))


def test_segments_of_kaldi_are_refused(root: Path) -> None:
    (root / "segments").write_text("u1 a 0.0 0.1\n")
    with pytest.raises(CorpusError, match="segments: names parts of recordings; make a file"):
        kaldi(root, "a wavs/a.wav\n")


@pytest.mark.parametrize("name", ["validated.tsv", "my table.csv"])
def test_a_table_of_another_name_is_said_with_the_command(root: Path, name: str) -> None:
    separator = "\t" if name.endswith("tsv") else ","
    rows = (("client_id", "path", "sentence"), ("p", "a.wav", "hello"))
    (root / name).write_text("".join(separator.join(row) + "\n" for row in rows))
    corpus = Corpus.open(root)
    assert len(corpus) == 2
    (said,) = corpus.left_out
    assert (said.reason, said.wanted) == ("table", False)
    command = said.detail.partition("to read it: ")[2].partition(", in")[0]
    assert shlex.split(command) == ["cp", name, "metadata.csv"]
    subprocess.run(["sh", "-c", command], cwd=root, check=True)
    (one,) = Corpus.open(root)
    assert (one.speaker, one.text) == ("p", "hello")


@pytest.mark.parametrize("name", ["manifest.json", "wav.scp"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(root: Path, name: str, data: bytes) -> None:
    prefix = b'{"path": "wavs/a.wav"}\n' if name == "manifest.json" else b"u wavs/a.wav\n"
    (root / name).write_bytes(prefix + data)
    with suppress(CorpusError):
        Corpus.open(root)

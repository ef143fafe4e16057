"""A corpus folder is read by its table or by its files, and hashed by its content."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_vc.audio.io import write_audio
from edge_vc.data.corpus import Corpus, write_metadata
from edge_vc.data.corpus_table import CorpusError
from edge_vc.data.utterance import COLUMNS, Utterance

RATE = 16000


def make_corpus(root: Path) -> Corpus:
    utterances = []
    for index, (speaker, role) in enumerate([("anna", "target"), ("ben", "source")] * 2):
        folder = root / speaker
        folder.mkdir(parents=True, exist_ok=True)
        tone = np.sin(np.arange(800 * (index + 1)) * 0.1 * (index + 1)).astype(np.float32)
        path = write_audio(folder / f"u{index}.flac", tone * 0.5, RATE)
        seconds = tone.shape[0] / RATE
        utterances.append(
            Utterance(path, f"u{index}", speaker, "F", seconds, "tones", role, "CC0-1.0", "A tone.")
        )
    write_metadata(root, utterances)
    return Corpus.open(root)


def test_table_round_trip(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path)
    assert [utterance.utt_id for utterance in corpus] == ["u0", "u1", "u2", "u3"]
    first = corpus.utterances[0]
    assert (first.speaker, first.role, first.text) == ("anna", "target", "A tone.")
    assert first.read(RATE).shape == (800,)
    assert corpus.seconds == pytest.approx(0.5)
    assert corpus.speakers == ("anna", "ben")


def test_select_by_role_and_speaker(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path)
    assert [u.utt_id for u in corpus.select(role="source")] == ["u1", "u3"]
    assert len(corpus.select(role="source", speaker="anna")) == 0
    assert len(corpus.select(speaker="anna")) == 2


def test_folder_without_table(tmp_path: Path) -> None:
    make_corpus(tmp_path)
    (tmp_path / "metadata.csv").unlink()
    corpus = Corpus.open(tmp_path)
    assert [u.speaker for u in corpus] == ["anna", "anna", "ben", "ben"]
    assert {u.role for u in corpus} == {"source"}
    assert corpus.seconds == pytest.approx(0.5)


def test_hash_follows_content_only(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path / "here")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    moved = Corpus.open(tmp_path / "there")
    assert moved.content_hash() == corpus.content_hash()
    assert Corpus(moved.root, moved.utterances[::-1]).content_hash() == corpus.content_hash()
    assert moved.select(role="source").content_hash() != corpus.content_hash()
    write_audio(moved.utterances[0].path, np.ones(800, np.float32) * 0.1, RATE)
    assert moved.content_hash() != corpus.content_hash()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("filed|text\n", "line 1 is not the header"),
        ("path|words\na.wav|a\n", "line 1, column 2 is 'words'"),
        ("path|path\na.wav|a\n", "column 2 is path a second time"),
        ("|".join(COLUMNS) + "\na.wav|a\n", "line 2 has 2 columns"),
        ("|".join(COLUMNS) + "\n../a.wav|a|s|F|1|c|source|l|t\n", "outside the corpus"),
        ("|".join(COLUMNS) + "\nb.wav|a|s|F|1|c|source|l|t\n", r"b.wav \(missing\)"),
        ("|".join(COLUMNS) + "\na.wav|a|s|F|long|c|source|l|t\n", "'long', not a number"),
        ("|".join(COLUMNS) + "\na.wav|a|s|F|nan|c|source|l|t\n", "'nan', not a duration"),
        ("|".join(COLUMNS) + "\n", "holds no recordings"),
    ],
)
def test_bad_tables_are_named(tmp_path: Path, table: str, message: str) -> None:
    write_audio(tmp_path / "a.wav", np.zeros(160, np.float32), RATE)
    (tmp_path / "metadata.csv").write_text(table)
    with pytest.raises(CorpusError, match=message) as caught:
        Corpus.open(tmp_path)
    assert "\n" not in str(caught.value)


def test_missing_and_broken_folders(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such folder"):
        Corpus.open(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match="holds no recordings"):
        Corpus.open(tmp_path)
    (tmp_path / "noise.wav").write_bytes(b"not audio at all")
    with pytest.raises(CorpusError, match=r"left out: noise.wav \(unreadable\)"):
        Corpus.open(tmp_path)


def test_table_refuses_separator(tmp_path: Path) -> None:
    bad = Utterance(tmp_path / "a.wav", "a", "s", "", 1.0, "c", "source", "", "one|two")
    with pytest.raises(CorpusError, match=r"holds '\|'"):
        write_metadata(tmp_path, [bad])

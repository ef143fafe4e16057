from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_vc.data.corpus import Corpus, write_metadata
from edge_vc.data.corpus_table import CorpusError
from edge_vc.data.development import Development
from edge_vc.data.utterance import Utterance


@pytest.fixture
def small(tmp_path: Path) -> Corpus:
    rows = [("me", f"own{n}", "target", "hello there") for n in range(6)]
    rows += [(f"s{n}", f"s{n}-0", "source", "well" if n == 3 else "") for n in range(5)]
    rows += [("alt", "alt-0", "target-alt", "good day")]
    made = []
    for speaker, name, role, text in rows:
        path = tmp_path / "corpus" / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, np.zeros(1600, np.float32), 16000)
        made.append(Utterance(path, name, speaker, "F", 0.1, "toy", role, "CC0", text))
    write_metadata(tmp_path / "corpus", made)
    return Corpus.open(tmp_path / "corpus")


def test_nobody_is_heard_in_both_parts(small: Corpus) -> None:
    parts = Development.of(small, sources=2, references=2)
    kept = {u.path for u in parts.train}
    assert not kept & {u.path for u in parts.held_out}
    held = set(parts.held_out.select("unseen-source").speakers)
    assert not held & set(parts.train.speakers)
    assert len(parts.held_out.select("target-reference")) == 2
    assert len(parts.train.select("target")) == 4


def test_speakers_with_text_and_the_alternative_are_held(small: Corpus) -> None:
    held = Development.of(small, sources=1, references=2).held_out
    assert held.select("unseen-source").speakers == ("alt", "s3")


def test_the_choice_depends_on_names_alone(small: Corpus) -> None:
    shuffled = Corpus(small.root, small.utterances[::-1])
    one, two = (Development.of(c, sources=2, references=2).held_out for c in (small, shuffled))
    assert {u.utt_id for u in one} == {u.utt_id for u in two}


def test_too_small_a_corpus_is_refused(small: Corpus) -> None:
    with pytest.raises(CorpusError, match="leaves nothing to train on"):
        Development.of(small)


def test_the_held_part_is_a_corpus(small: Corpus, tmp_path: Path) -> None:
    parts = Development.of(small, sources=2, references=2)
    folder = tmp_path / "held"
    parts.write(folder)
    again = Corpus.open(folder)
    assert [u.utt_id for u in again] == [u.utt_id for u in parts.held_out]
    assert {u.role for u in again} == {"unseen-source", "target-reference"}


def test_noise_comes_off_the_sources_alone(small: Corpus, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for utterance in small:
        soundfile.write(utterance.path, 0.1 * rng.standard_normal(16000), 16000)
    parts = Development.of(small, sources=2, references=2)
    parts.write(tmp_path / "as-is")
    parts.write(tmp_path / "quiet", denoise_db=20.0)
    plain, quiet = (Corpus.open(tmp_path / name) for name in ("as-is", "quiet"))
    for before, after in zip(plain, quiet, strict=True):
        change = np.std(after.read(16000)) / np.std(before.read(16000))
        assert change < 0.5 if before.role == "unseen-source" else change == 1.0


@pytest.mark.corpus
def test_the_real_choice(corpus: Path) -> None:
    parts = Development.of(Corpus.open(corpus / "train"))
    assert parts.held_out.select("unseen-source").speakers == ("19", "26", "27")
    assert all(u.text for u in parts.held_out)
    assert len(parts.held_out.select("target-reference")) == 20

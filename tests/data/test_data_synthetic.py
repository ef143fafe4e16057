"""Synthetic speech is speech: right length, voiced, many voices, the same every time."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from bars import Bar

from edge_vc.audio.level import active_level_db
from edge_vc.audio.pitch import track_pitch
from edge_vc.data.corpus import Corpus
from edge_vc.data.corpus_table import CorpusError
from edge_vc.data.synthetic.espeak import Request, Speaker
from edge_vc.data.synthetic.espeak_worker import SpeechError
from edge_vc.data.synthetic.sentences import SENTENCES
from edge_vc.data.synthetic.synthetic import MEN, SAMPLE_RATE, WOMEN, synthesize_corpus

MINUTES = 0.5


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return synthesize_corpus(tmp_path_factory.mktemp("synthetic") / "corpus", MINUTES, seed=3)


def test_length_and_layout(corpus: Corpus) -> None:
    last = corpus.utterances[-1].seconds
    assert MINUTES * 60 <= corpus.seconds < MINUTES * 60 + last
    assert {u.role for u in corpus} == {"source"}
    assert [u.sex for u in corpus.utterances[:4]] == ["F", "M", "F", "M"]
    assert len(corpus.speakers) >= 0.7 * len(corpus)
    for utterance in corpus:
        samples = utterance.read(SAMPLE_RATE)
        assert samples.size / SAMPLE_RATE == pytest.approx(utterance.seconds, abs=1e-3)
        words = len(utterance.text.split())
        assert 1.0 < words / utterance.seconds < 6.0
        assert -34 < active_level_db(samples, SAMPLE_RATE) < -16


def test_voices_have_pitch(corpus: Corpus) -> None:
    medians: dict[str, list[float]] = {"F": [], "M": []}
    for utterance in corpus:
        pitch = track_pitch(utterance.read(SAMPLE_RATE), SAMPLE_RATE, 160)
        assert pitch.voiced.mean() > 0.3
        medians[utterance.sex].append(pitch.median)
    assert min(medians["F"]) > 120
    assert max(medians["F"]) < 320
    assert min(medians["M"]) > 65
    assert max(medians["M"]) < 180
    assert np.mean(medians["F"]) > 1.4 * np.mean(medians["M"])


def test_seed_decides_everything(corpus: Corpus, tmp_path: Path) -> None:
    again = synthesize_corpus(tmp_path / "again", MINUTES, seed=3)
    other = synthesize_corpus(tmp_path / "other", MINUTES, seed=4)
    assert again.content_hash() == corpus.content_hash()
    assert other.content_hash() != corpus.content_hash()


def test_finished_work_is_kept_and_broken_work_redone(tmp_path: Path) -> None:
    bar = Bar()
    first = synthesize_corpus(tmp_path, 0.1, progress=bar)
    assert bar.done == list(range(bar.shown[0][0] + 1))
    assert bar.closed == len(bar.shown) == 1
    synthesize_corpus(tmp_path, 0.1, progress=lambda *_: pytest.fail("made again"))
    hashed = first.content_hash()
    (tmp_path / "metadata.csv").unlink()
    first.utterances[0].path.write_bytes(b"cut short")
    assert synthesize_corpus(tmp_path, 0.1).content_hash() == hashed


def test_foreign_folders_and_silly_lengths_are_refused(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(CorpusError, match="not empty"):
        synthesize_corpus(tmp_path, 1.0)
    for minutes in (0.0, -1.0, 601.0, float("nan")):
        with pytest.raises(CorpusError, match="more than 0"):
            synthesize_corpus(tmp_path / "new", minutes)
    assert not (tmp_path / "new").exists()


def test_pitch_and_rate_are_obeyed() -> None:
    text = SENTENCES[3]
    with Speaker() as speaker:
        low, rate = speaker.speak(Request(text, "en-us+m3", 30, 50, 150))
        high, _ = speaker.speak(Request(text, "en-us+m3", 75, 50, 150))
        fast, _ = speaker.speak(Request(text, "en-us+m3", 30, 50, 220))
    with Speaker() as speaker:
        again, _ = speaker.speak(Request(text, "en-us+m3", 30, 50, 150))
    assert rate == 22050
    assert np.array_equal(again, low)
    assert track_pitch(high, rate, 220).median > 1.3 * track_pitch(low, rate, 220).median
    assert fast.size < 0.8 * low.size


def test_refusals_leave_the_speaker_usable() -> None:
    with Speaker() as speaker:
        with pytest.raises(SpeechError, match="voice martian"):
            speaker.speak(Request("Hello.", "martian", 50, 50, 150))
        samples, _ = speaker.speak(Request("Hello.", "en-us", 50, 50, 150))
        assert samples.size > 4000
    with pytest.raises(SpeechError, match="ended"):
        speaker.speak(Request("Hello.", "en-us", 50, 50, 150))


def test_every_variant_exists() -> None:
    with Speaker() as speaker:
        for variant in WOMEN + MEN:
            samples, _ = speaker.speak(Request("Yes.", f"en+{variant}", 50, 50, 170))
            assert samples.size > 2000, variant


def test_sentences_are_distinct_and_plain() -> None:
    assert len(set(SENTENCES)) == len(SENTENCES) == 120
    assert all(re.fullmatch(r"[A-Za-z ,.'!?-]+", sentence) for sentence in SENTENCES)

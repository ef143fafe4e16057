"""The recogniser and the speaker encoder, on real speech where the corpus is there."""

from __future__ import annotations

import numpy as np
import pytest

from edge_vc.audio.speaker_encoder import SpeakerEncoder, similarity
from edge_vc.data.corpus import Corpus
from edge_vc.evaluate.metrics.asr import Recognizer
from edge_vc.settings.optional import EvaluationError, require

RATE = 16000


@pytest.fixture(scope="module")
def recognizer(real_corpus: Corpus) -> Recognizer:
    return Recognizer(utterance.text for utterance in real_corpus if utterance.text)


def error_rate(recognizer: Recognizer, corpus: Corpus, noise: float = 0.0) -> float:
    rng = np.random.default_rng(0)
    errors = words = 0
    for utterance in corpus:
        samples = utterance.read(RATE)
        samples = samples + (noise * rng.standard_normal(samples.size)).astype(np.float32)
        score = recognizer.score(samples, RATE, utterance.text)
        errors, words = errors + score.word_errors, words + score.words
    return errors / words


def some(corpus: Corpus, role: str, speaker: str, count: int) -> Corpus:
    return Corpus(corpus.root, corpus.select(role, speaker).utterances[:count])


@pytest.mark.corpus
def test_untouched_recordings_are_understood(recognizer: Recognizer, real_corpus: Corpus) -> None:
    kathleen = some(real_corpus, "target-reference", "kathleen", 8)
    assert error_rate(recognizer, kathleen) <= 0.02
    vctk = some(real_corpus, "unseen-source", "p227", 3)
    assert error_rate(recognizer, vctk) <= 0.1


@pytest.mark.corpus
def test_noise_adds_word_errors(recognizer: Recognizer, real_corpus: Corpus) -> None:
    kathleen = some(real_corpus, "target-reference", "kathleen", 4)
    assert error_rate(recognizer, kathleen, noise=0.1) > 0.3


@pytest.mark.corpus
def test_transcripts_do_not_depend_on_what_came_before(
    recognizer: Recognizer, real_corpus: Corpus
) -> None:
    """In noise, where the transcript is least stable, and in either order."""
    sources = real_corpus.select("unseen-source")
    chosen = [u for who in sources.speakers for u in sources.select(speaker=who).utterances[:2]]
    rng = np.random.default_rng(0)
    noisy = []
    for utterance in chosen[:12]:
        samples = utterance.read(RATE)
        noise = 0.03 * rng.standard_normal(samples.size)
        noisy.append((samples + noise).astype(np.float32))
    heard = [recognizer.transcribe(samples, RATE) for samples in noisy]
    again = [recognizer.transcribe(samples, RATE) for samples in noisy[::-1]]
    assert again[::-1] == heard


@pytest.mark.corpus
def test_words_without_pronunciation_do_not_count(recognizer: Recognizer) -> None:
    assert "sweynheim" in recognizer.unknown
    score = recognizer.score(np.zeros(RATE, np.float32), RATE, "Sweynheim began printing.")
    assert score.words == 2
    assert score.word_errors == 2


@pytest.mark.corpus
def test_voices_are_told_apart(real_corpus: Corpus) -> None:
    encoder = SpeakerEncoder()
    references = real_corpus.select("target-reference").utterances
    centroid = encoder.centroid((u.read(RATE) for u in references[:8:2]), RATE)
    assert np.linalg.norm(centroid) == pytest.approx(1.0, abs=1e-5)
    own = similarity(encoder.embed(references[9].read(RATE), RATE), centroid)
    man = some(real_corpus, "unseen-source", "p226", 1).utterances[0]
    other = similarity(encoder.embed(man.read(RATE), RATE), centroid)
    assert own > 0.75
    assert other < 0.65
    quiet = similarity(encoder.embed(references[9].read(RATE) * np.float32(0.1), RATE), centroid)
    assert quiet == pytest.approx(own, abs=0.05)


def test_silence_has_no_embedding() -> None:
    encoder = SpeakerEncoder()
    assert encoder.embed(np.zeros(RATE, np.float32), RATE) is None
    assert similarity(None, np.ones(256, np.float32)) == 0.0
    with pytest.raises(ValueError, match="no speech was found"):
        encoder.centroid([np.zeros(RATE, np.float32)], RATE)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_language_model_orders(order: int) -> None:
    silence = np.zeros(RATE, np.float32)
    score = Recognizer(["Good morning.", "Good night."], order).score(silence, RATE, "It rains")
    assert score.words == 2
    assert score.characters == len("it rains")
    assert score.word_errors == 2


def test_models_that_cannot_be_built_are_refused() -> None:
    with pytest.raises(EvaluationError, match="order 4"):
        Recognizer(["Good morning."], 4)
    with pytest.raises(EvaluationError, match="known words"):
        Recognizer(["Xqzw."])


def test_missing_packages_come_with_the_fix() -> None:
    with pytest.raises(EvaluationError, match=r"needs nosuchpackage: pip install 'edge-vc\[eval"):
        require("nosuchpackage")

"""Each metric of the registry measures what its name says, in its direction."""

from __future__ import annotations

import numpy as np
import pytest

from edge_vc.audio.io import Samples
from edge_vc.data.corpus import Corpus
from edge_vc.data.transcript import edit_distance
from edge_vc.evaluate.metrics.dnsmos import DnsmosModel
from edge_vc.evaluate.metrics.metric import Counts, Value
from edge_vc.evaluate.metrics.pesq import pesq
from edge_vc.evaluate.metrics.recording import Recording
from edge_vc.evaluate.metrics.registry import METRICS
from edge_vc.evaluate.metrics.scorer import Scorer, measure_target
from edge_vc.evaluate.metrics.stoi import stoi
from edge_vc.evaluate.report.report import SentenceScore
from edge_vc.evaluate.selection import EvaluationSet, select_sentences

RATE = 16000


@pytest.fixture(scope="module")
def chosen(evaluation_corpus: Corpus) -> EvaluationSet:
    return select_sentences(evaluation_corpus)


@pytest.fixture(scope="module")
def scorer(chosen: EvaluationSet) -> Scorer:
    return Scorer(chosen, measure_target(chosen), tuple(METRICS.values()))


@pytest.fixture(scope="module")
def source(scorer: Scorer, chosen: EvaluationSet) -> Recording:
    return scorer.recording(chosen.sources[0], chosen.sources[0].read(RATE))


@pytest.fixture(scope="module")
def clean(scorer: Scorer, source: Recording) -> SentenceScore:
    return scorer.score(scorer.recording(source.utterance, source.samples, source))


@pytest.fixture(scope="module")
def noisy_samples(source: Recording) -> Samples:
    noise = np.random.default_rng(0).normal(0, 0.1, source.samples.size)
    return (source.samples + noise).astype(np.float32)


@pytest.fixture(scope="module")
def noisy(scorer: Scorer, source: Recording, noisy_samples: Samples) -> SentenceScore:
    return scorer.score(scorer.recording(source.utterance, noisy_samples, source))


def number(value: Value) -> float:
    assert value is not None
    return value.errors / value.total if isinstance(value, Counts) else value


@pytest.mark.parametrize(
    "key",
    ["similarity", "word_error_rate", "character_error_rate", "dnsmos", "dnsmos_signal",
     "dnsmos_background", "f0_correlation"],
)  # fmt: skip
def test_noise_is_worse_in_the_direction_of_the_metric(
    key: str, clean: SentenceScore, noisy: SentenceScore
) -> None:
    gain = number(noisy.scores[key]) - number(clean.scores[key])
    assert METRICS[key].better * gain < 0


@pytest.mark.parametrize(
    ("key", "better"),
    [("stoi", 1), ("pesq", 1), ("snr_db", 1), ("lsd_db", -1), ("mcd_db", -1),
     ("f0_error", -1), ("f0_shift", 0),
     ("f0_hz", 0), ("word_error_ratio", -1), ("character_error_ratio", -1)],
)  # fmt: skip
def test_directions(key: str, better: int) -> None:
    assert METRICS[key].better == better


def test_errors_count_words_and_characters(clean: SentenceScore, source: Recording) -> None:
    said = "the path is steep at first and gentle near the summit"
    assert source.utterance.text.lower().rstrip(".") == said
    heard = clean.transcript
    assert heard is not None
    words = Counts(edit_distance(said.split(), heard.split()), len(said.split()))
    characters = Counts(edit_distance(said, heard), len(said))
    assert clean.scores["word_error_rate"] == clean.scores["word_error_ratio"] == words
    assert clean.scores["character_error_rate"] == characters
    assert clean.scores["character_error_ratio"] == characters
    assert words.total != characters.total


def test_f0_is_that_of_source_and_target(
    scorer: Scorer, chosen: EvaluationSet, source: Recording, clean: SentenceScore
) -> None:
    target = measure_target(chosen)
    shift, error, hz = (number(clean.scores[k]) for k in ("f0_shift", "f0_error", "f0_hz"))
    assert shift == pytest.approx(100 * (hz / target.f0_hz - 1), abs=1e-4)
    assert shift < -10  # a man's voice, a woman's target
    assert error == -shift
    assert number(clean.scores["f0_correlation"]) == pytest.approx(1.0)
    other = scorer.recording(source.utterance, chosen.sources[1].read(RATE), source)
    assert number(scorer.score(other).scores["f0_correlation"]) < 0.9
    assert scorer.score(source).scores["f0_correlation"] is None


def test_dnsmos_keeps_its_three_scores_apart(source: Recording, clean: SentenceScore) -> None:
    rated = DnsmosModel().rate(source.samples, RATE)
    assert rated is not None
    keys = ("dnsmos", "dnsmos_signal", "dnsmos_background")
    assert [clean.scores[key] for key in keys] == [rated.overall, rated.signal, rated.background]
    assert rated.overall < rated.signal < rated.background


def test_the_centroid_is_a_unit_vector(chosen: EvaluationSet) -> None:
    target = measure_target(chosen)
    assert np.linalg.norm(target.centroid) == pytest.approx(1.0, abs=1e-5)
    assert 150 < target.f0_hz < 300


def test_mcd_is_zero_for_the_targets_own_recording(scorer: Scorer, chosen: EvaluationSet) -> None:
    parallel = chosen.parallel.to(chosen.sources[0])
    assert parallel is not None
    own = scorer.recording(chosen.sources[0], parallel.read(RATE))
    assert scorer.score(own).scores["mcd_db"] == pytest.approx(0.0, abs=1e-6)
    assert number(scorer.score(own).scores["similarity"]) > 0.8


def test_scores_keep_six_decimals(clean: SentenceScore) -> None:
    values = [value for value in clean.scores.values() if isinstance(value, float)]
    assert len(values) == 9
    assert values == [round(value, 6) for value in values]


def test_the_other_system_is_the_reference(
    scorer: Scorer, source: Recording, noisy_samples: Samples
) -> None:
    noisy = scorer.recording(source.utterance, noisy_samples, source)
    found = scorer.compare(source, noisy).scores
    assert found["stoi"] == stoi(source.samples, noisy_samples, RATE)
    assert found["pesq"] == pesq(source.samples, noisy_samples, RATE)
    assert found["stoi"] != stoi(noisy_samples, source.samples, RATE)
    assert found["pesq"] != pesq(noisy_samples, source.samples, RATE)

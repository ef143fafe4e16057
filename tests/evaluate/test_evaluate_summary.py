"""Scores of sentences become means, pooled rates and differences that can be worked out by hand."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from edge_vc.evaluate.metrics.metric import Counts, IntrusiveMetric, Metric, Value
from edge_vc.evaluate.metrics.registry import intrusive_metrics, system_metrics
from edge_vc.evaluate.report.bootstrap import Estimate, Resampling, mean
from edge_vc.evaluate.report.report import Score, SentenceScore
from edge_vc.evaluate.report.summary import Summary


def nothing(*recordings: object) -> None:
    """Measure nothing: the scores of these tests are made up."""


LEVEL = Metric(key="level", title="level", compute=nothing)
ERRORS = Metric(key="errors", title="errors", compute=nothing, better=-1)
RATIO = Metric(key="ratio", title="errors / source", compute=nothing, better=-1, relative=True)
GAIN = IntrusiveMetric(key="gain", title="gain", compute=nothing)
SUMMARY = Summary((LEVEL, ERRORS, RATIO), (GAIN,))


def sentence(number: int, level: float | None, errors: int, words: int = 10) -> SentenceScore:
    speaker, sex = (("ann", "F"), ("bob", "M"))[number % 2]
    counts = Counts(errors, words)
    scores: dict[str, Value] = {"level": level, "errors": counts, "ratio": counts, "gain": level}
    return SentenceScore(f"u{number}", speaker, sex, scores)


SOURCE = [sentence(n, 1.0, 1) for n in range(8)]
SYSTEM = [sentence(n, 1.5 + n % 2, 3, 20) for n in range(8)]


def value(score: Score | None, key: str) -> float | None:
    assert score is not None
    estimate = score[key]
    return None if estimate is None else estimate.value


def test_values_are_averaged_and_counts_are_pooled() -> None:
    uneven = [sentence(0, 1.0, 1, 1), sentence(1, None, 0, 9)]
    found = SUMMARY.of_system("a", uneven)
    assert value(found.overall, "level") == 1.0
    assert value(found.overall, "errors") == pytest.approx(0.1)
    assert value(found.speakers["ann"], "errors") == 1.0
    assert value(found.sexes["M"], "errors") == 0.0
    assert found.sexes["M"]["level"] is None
    assert found.sentences == tuple(uneven)


def test_relative_metrics_are_over_the_sources_own() -> None:
    found = SUMMARY.of_system("a", SYSTEM, SOURCE)
    assert value(found.overall, "errors") == pytest.approx(0.15)
    assert value(found.overall, "ratio") == pytest.approx(1.5)
    assert value(found.speakers["bob"], "ratio") == pytest.approx(1.5)
    alone = SUMMARY.of_system("target", SYSTEM)
    assert alone.overall["ratio"] is None


def test_deltas_are_to_the_baseline() -> None:
    source = SUMMARY.of_system("source", SOURCE, SOURCE)
    found = SUMMARY.with_deltas(SUMMARY.of_system("a", SYSTEM, SOURCE), source, SOURCE)
    assert value(found.deltas, "level") == 1.0
    assert value(found.deltas, "errors") == pytest.approx(0.05)
    assert value(found.deltas, "ratio") == pytest.approx(0.5)
    assert SUMMARY.with_deltas(source, source, SOURCE).deltas is None


def test_ratios_to_different_recordings_are_not_subtracted() -> None:
    clean = SUMMARY.of_system("a", SOURCE, SOURCE)
    noisy = SUMMARY.of_system("a", SYSTEM, SYSTEM)
    drop = SUMMARY.since_clean(noisy, SYSTEM, clean, SOURCE).since_clean
    assert value(drop, "errors") == pytest.approx(0.05)
    assert drop is not None
    assert drop["ratio"] is None


def test_pairs_have_the_intrusive_metrics_alone() -> None:
    pair = SUMMARY.of_pair("a", "b", "clean", SYSTEM)
    assert (pair.name, pair.against, pair.condition) == ("a", "b", "clean")
    assert set(pair.overall) == {"gain"}
    assert value(pair.overall, "gain") == 2.0
    assert value(pair.sexes["F"], "gain") == 1.5
    assert value(pair.speakers["bob"], "gain") == 2.5


def test_a_difference_is_known_for_the_fewer_sentences() -> None:
    fewer = mean([1.0, None, 3.0]).minus(mean([0.0, 0.0, 0.0]))
    assert fewer.sentences == 2
    assert mean([1.0, 1.0]).over(mean([1.0, None])).sentences == 1


def test_estimates_keep_six_decimals() -> None:
    found = Resampling(3).estimate(mean([1 / 3, 1 / 3, 1 / 3]))
    assert found == Estimate(0.333333, 0.333333, 0.333333, 3)


def test_intervals_of_few_draws_are_rough() -> None:
    """2000 draws, the default, place both ends to within a tenth of the half-width."""
    values = [*np.random.default_rng(2).normal(0, 1, 200)]
    half = 1.96 * float(np.std(values)) / np.sqrt(200)
    ends = []
    for seed in range(8):
        found = Resampling(200, seed).estimate(mean(values))
        assert found is not None
        ends.append([found.low, found.high])
    assert np.std(ends, axis=0).max() < 0.1 * half


def test_metrics_travel_to_other_processes() -> None:
    metrics = (*system_metrics(), *intrusive_metrics())
    assert pickle.loads(pickle.dumps(metrics)) == metrics  # noqa: S301 - our own bytes

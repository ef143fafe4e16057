"""Summarise sentence scores as estimates, overall, by speaker and by sex."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from edge_vc.evaluate.metrics.metric import Counts, IntrusiveMetric, Metric, Value
from edge_vc.evaluate.report.bootstrap import Quantity, Resampling, rate
from edge_vc.evaluate.report.report import Comparison, Score, SentenceScore, SystemScore

Scores = Sequence[SentenceScore]
T = TypeVar("T")


@dataclass(frozen=True)
class Summary:
    """Summarises sentences by the metrics they were scored with."""

    metrics: Sequence[Metric]
    intrusive: Sequence[IntrusiveMetric] = ()

    def of_system(self, name: str, scores: Scores, source: Scores | None = None) -> SystemScore:
        """Summarise one system; ``source`` are the source recordings' scores in the same order."""

        def over(chosen: Sequence[int]) -> Score:
            own = [scores[index] for index in chosen]
            origin = None if source is None else [source[index] for index in chosen]
            return _estimates(self._quantities(own, origin), len(own))

        return SystemScore(
            name,
            over(range(len(scores))),
            _by(scores, lambda score: score.speaker, over),
            _by(scores, lambda score: score.sex, over),
            tuple(scores),
        )

    def of_pair(self, name: str, against: str, condition: str, scores: Scores) -> Comparison:
        """Summarise one system against another."""

        def over(chosen: Sequence[int]) -> Score:
            own = [scores[index] for index in chosen]
            found = {metric.key: _pooled(own, metric.key) for metric in self.intrusive}
            return _estimates(found, len(own))

        return Comparison(
            name,
            against,
            condition,
            over(range(len(scores))),
            _by(scores, lambda score: score.speaker, over),
            _by(scores, lambda score: score.sex, over),
            tuple(scores),
        )

    def with_deltas(self, score: SystemScore, baseline: SystemScore, source: Scores) -> SystemScore:
        """Add the differences to a baseline on the same sentences."""
        if score.name == baseline.name:
            return score
        return replace(
            score, deltas=self._contrast(score.sentences, source, baseline.sentences, source)
        )

    def since_clean(
        self, score: SystemScore, source: Scores, clean: SystemScore, clean_source: Scores
    ) -> SystemScore:
        """Add the differences to the same system without noise."""
        drop = self._contrast(score.sentences, source, clean.sentences, clean_source)
        # Both are relative to different recordings, so their difference is meaningless.
        relative: Score = {metric.key: None for metric in self.metrics if metric.relative}
        return replace(score, since_clean=drop | relative)

    def _contrast(self, own: Scores, source: Scores, other: Scores, other_source: Scores) -> Score:
        first, second = self._quantities(own, source), self._quantities(other, other_source)
        return _estimates({key: first[key].minus(second[key]) for key in first}, len(own))

    def _quantities(self, scores: Scores, source: Scores | None) -> dict[str, Quantity]:
        return {metric.key: _quantity(metric, scores, source) for metric in self.metrics}


def _quantity(metric: Metric, scores: Scores, source: Scores | None) -> Quantity:
    own = _pooled(scores, metric.key)
    if not metric.relative:
        return own
    return own.over(_pooled(source or (), metric.key, len(scores)))


def _pooled(scores: Scores, key: str, length: int | None = None) -> Quantity:
    """Return the mean of values, or the rate of counts; undefined without scores."""
    parts = [_fraction(score.scores.get(key)) for score in scores] or [(0.0, 0.0)] * (length or 0)
    return rate([top for top, _ in parts], [bottom for _, bottom in parts])


def _fraction(value: Value) -> tuple[float, float]:
    if value is None:
        return 0.0, 0.0
    return (value.errors, value.total) if isinstance(value, Counts) else (value, 1.0)


def _by(
    scores: Scores, key: Callable[[SentenceScore], str], over: Callable[[Sequence[int]], T]
) -> dict[str, T]:
    names = sorted({key(score) for score in scores} - {""})
    return {n: over([i for i, score in enumerate(scores) if key(score) == n]) for n in names}


def _estimates(quantities: Mapping[str, Quantity], sentences: int) -> Score:
    resampling = Resampling(sentences)
    return {key: resampling.estimate(quantity) for key, quantity in quantities.items()}

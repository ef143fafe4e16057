"""From scores of sentences to figures over them, by speaker and by sex."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import TypeVar

from edge_vc.evaluate.metrics.intelligibility import AsrScore
from edge_vc.evaluate.metrics.pairwise import Closeness
from edge_vc.evaluate.report.bootstrap import Quantity, Resampling, mean, rate
from edge_vc.evaluate.report.report import (
    ClosenessScore,
    Comparison,
    Score,
    SentenceScore,
    SystemScore,
)

Scores = Sequence[SentenceScore]
T = TypeVar("T")
S = TypeVar("S", SentenceScore, Closeness)


def summarise(name: str, scores: Scores, origin: Scores | None = None) -> SystemScore:
    """Summarise one system; ``origin`` are the source recordings' scores, in the same order."""

    def over(chosen: Sequence[int]) -> Score:
        mine = [scores[index] for index in chosen]
        theirs = None if origin is None else [origin[index] for index in chosen]
        return _score(_quantities(mine, theirs), len(mine))

    return SystemScore(
        name,
        over(range(len(scores))),
        _by(scores, lambda score: score.speaker, over),
        _by(scores, lambda score: score.sex, over),
        tuple(scores),
    )


def with_deltas(score: SystemScore, baseline: SystemScore, origin: Scores) -> SystemScore:
    """Add the differences to a baseline on the same sentences."""
    if score.name == baseline.name:
        return score
    return replace(score, deltas=_contrast(score.sentences, origin, baseline.sentences, origin))


def since_clean(
    score: SystemScore, origin: Scores, clean: SystemScore, clean_origin: Scores
) -> SystemScore:
    """Add the differences to the same system without noise."""
    drop = _contrast(score.sentences, origin, clean.sentences, clean_origin)
    # Both are relative to recordings of their own: their difference says nothing.
    drop = replace(drop, word_error_ratio=None, character_error_ratio=None)
    return replace(score, since_clean=drop)


def summarise_pair(
    name: str, against: str, condition: str, scores: Sequence[Closeness]
) -> Comparison:
    """Summarise one system against another."""

    def over(chosen: Sequence[int]) -> ClosenessScore:
        resampling = Resampling(len(chosen))
        keys = [field.name for field in fields(ClosenessScore)]
        values = {key: [getattr(scores[index], key) for index in chosen] for key in keys}
        return ClosenessScore(**{k: resampling.estimate(mean(v)) for k, v in values.items()})

    return Comparison(
        name,
        against,
        condition,
        over(range(len(scores))),
        _by(scores, lambda score: score.speaker, over),
        _by(scores, lambda score: score.sex, over),
        tuple(scores),
    )


def _by(
    scores: Sequence[S], key: Callable[[S], str], over: Callable[[Sequence[int]], T]
) -> dict[str, T]:
    names = sorted({key(score) for score in scores} - {""})
    return {n: over([i for i, score in enumerate(scores) if key(score) == n]) for n in names}


def _contrast(mine: Scores, origin: Scores, theirs: Scores, their_origin: Scores) -> Score:
    first, second = _quantities(mine, origin), _quantities(theirs, their_origin)
    return _score({key: first[key].minus(second[key]) for key in first}, len(mine))


def _score(quantities: dict[str, Quantity], sentences: int) -> Score:
    resampling = Resampling(sentences)
    return Score(**{key: resampling.estimate(found) for key, found in quantities.items()})


def _quantities(scores: Scores, origin: Scores | None) -> dict[str, Quantity]:
    """Return every figure of `Score` as a quantity over ``scores``."""
    words, characters = _error_rates(scores)
    unknown = mean([None] * len(scores))
    source = (unknown, unknown) if origin is None else _error_rates(origin)
    return {
        "similarity": mean([score.similarity for score in scores]),
        "word_error_rate": words,
        "word_error_ratio": words.over(source[0]),
        "character_error_rate": characters,
        "character_error_ratio": characters.over(source[1]),
        "f0_correlation": mean([score.f0_correlation for score in scores]),
        "f0_error": mean([s.f0_shift if s.f0_shift is None else abs(s.f0_shift) for s in scores]),
        "f0_shift": mean([score.f0_shift for score in scores]),
        "mcd_db": mean([score.mcd_db for score in scores]),
        **_opinions(scores),
    }


def _opinions(scores: Scores) -> dict[str, Quantity]:
    rated = [score.naturalness for score in scores]
    return {
        "dnsmos": mean([None if n is None else n.overall for n in rated]),
        "dnsmos_signal": mean([None if n is None else n.signal for n in rated]),
        "dnsmos_background": mean([None if n is None else n.background for n in rated]),
    }


def _error_rates(scores: Scores) -> tuple[Quantity, Quantity]:
    heard = [score.hearing for score in scores]
    return (
        _rate(heard, lambda hearing: (hearing.word_errors, hearing.words)),
        _rate(heard, lambda hearing: (hearing.character_errors, hearing.characters)),
    )


def _rate(
    heard: Sequence[AsrScore | None], counts: Callable[[AsrScore], tuple[int, int]]
) -> Quantity:
    pairs = [counts(hearing) if hearing is not None else (0, 0) for hearing in heard]
    return rate([pair[0] for pair in pairs], [pair[1] for pair in pairs])

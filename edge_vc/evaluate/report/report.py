"""The report of an evaluation: scores per sentence, speaker and sex, and overall."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from edge_vc.evaluate.metrics.metric import MetricInfo, Value
from edge_vc.evaluate.report.bootstrap import Estimate
from edge_vc_runtime.files.writing import write_whole

SCHEMA = 3
"""Version of the JSON; the meaning of a field never changes within a version."""

Score = dict[str, Estimate | None]
"""Estimates over some sentences by the key of their metric; None if unknown."""


@dataclass(frozen=True)
class Sentence:
    """One source recording, and the target's recording to compare it with."""

    utt_id: str
    speaker: str
    sex: str
    """``F``, ``M`` or empty."""
    text: str
    seconds: float
    target_utt_id: str
    """The target's recording of the same words, or of another sentence if there is none."""
    target_text: str


@dataclass(frozen=True)
class SentenceScore:
    """One sentence by one system, or by one system against another."""

    utt_id: str
    speaker: str
    sex: str
    scores: dict[str, Value]
    """Values by the key of the metric; None if it could not be measured."""
    transcript: str | None = None
    """The recogniser's transcript; None if the corpus has no text for the sentence."""
    phones: str | None = None
    """``said>heard`` of every phone, ``-`` for none; None if phones were not measured."""


@dataclass(frozen=True)
class SystemScore:
    """All scores of one system in one condition."""

    name: str
    overall: Score
    speakers: dict[str, Score]
    sexes: dict[str, Score]
    """Scores by ``F`` and ``M``, if stated in the corpus."""
    sentences: tuple[SentenceScore, ...]
    deltas: Score | None = None
    """Differences from the baseline on the same sentences; None for the baseline itself."""
    since_clean: Score | None = None
    """In noise: differences from the same system without noise."""


@dataclass(frozen=True)
class Comparison:
    """Intrusive metrics of one system against another: a student and its teacher, INT8 and fp32."""

    name: str
    against: str
    condition: str
    overall: Score
    speakers: dict[str, Score]
    sexes: dict[str, Score]
    sentences: tuple[SentenceScore, ...]


@dataclass(frozen=True)
class EvaluationReport:
    """Systems, sentences and scores of an evaluation."""

    corpus_hash: str
    """sha256 of the selected recordings and their metadata."""
    target: str
    """The target speaker."""
    target_f0_hz: float
    """Median F0 over the target's centroid sentences."""
    seconds: float
    """Duration of the source speech that every system converted."""
    centroid_sentences: int
    unknown_words: tuple[str, ...]
    """Words missing from the recogniser's dictionary; they are not counted."""
    metrics: tuple[MetricInfo, ...]
    """Metrics of one system, in the order of the tables."""
    intrusive_metrics: tuple[MetricInfo, ...]
    """Metrics of one system against another."""
    baseline: str
    """The system that deltas refer to."""
    sentence_count: int
    """Number of source recordings, even if the report was saved without its sentences."""
    sentences: tuple[Sentence, ...]
    """The source recordings in the order of every system's sentences; empty if condensed."""
    topline: SystemScore
    """The target's own recordings that are not in the centroid: the best score to expect."""
    systems: dict[str, SystemScore]
    """Scores without noise, by name."""
    noisy: dict[str, dict[str, SystemScore]] = field(default_factory=dict)
    """Scores in noise, by condition and name."""
    comparisons: tuple[Comparison, ...] = ()
    audio: str | None = None
    """Folder of the converted audio, relative to the saved report."""
    schema: int = SCHEMA

    def to_json(self) -> str:
        """Return the report as JSON, including sentences and transcripts."""
        return json.dumps(asdict(self), indent=1, allow_nan=False)

    def save(self, path: str | Path) -> Path:
        """Write `to_json` to a file, completely or not at all."""
        return write_whole(path, self.to_json() + "\n")


def condensed(report: EvaluationReport) -> EvaluationReport:
    """Return a report without its sentences, which are most of its size."""

    def of(scores: dict[str, SystemScore]) -> dict[str, SystemScore]:
        return {name: replace(score, sentences=()) for name, score in scores.items()}

    return replace(
        report,
        sentences=(),
        topline=replace(report.topline, sentences=()),
        systems=of(report.systems),
        noisy={condition: of(scores) for condition, scores in report.noisy.items()},
        comparisons=tuple(replace(pair, sentences=()) for pair in report.comparisons),
        audio=None,
    )

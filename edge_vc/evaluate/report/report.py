"""The report of an evaluation: figures per sentence, speaker and sex, and over all."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from edge_vc.evaluate.metrics.dnsmos import DnsmosScore
from edge_vc.evaluate.metrics.intelligibility import AsrScore
from edge_vc.evaluate.metrics.pairwise import Closeness
from edge_vc.evaluate.report.bootstrap import Estimate

SCHEMA = 2
"""Version of the JSON; a field is never given another meaning under the same number."""


@dataclass(frozen=True)
class Sentence:
    """One source recording, and what of the target stands beside it."""

    utt_id: str
    speaker: str
    sex: str
    """``F``, ``M`` or empty."""
    text: str
    seconds: float
    target_utt_id: str
    """The target's own reading, or another sentence of hers where she did not read this one."""
    target_text: str


@dataclass(frozen=True)
class SentenceScore:
    """One converted sentence; None for what could not be measured."""

    utt_id: str
    speaker: str
    sex: str
    similarity: float
    """Cosine to the target's centroid, 0 to 1; 0 for silence."""
    hearing: AsrScore | None
    """None where the corpus does not say what was said."""
    naturalness: DnsmosScore | None
    f0_correlation: float | None
    """With the source's contour, -1 to 1."""
    f0_hz: float | None
    """Median."""
    f0_shift: float | None
    """Percent by which the median is above the target's."""
    mcd_db: float | None
    """From the target's own reading; None where there is none."""


@dataclass(frozen=True)
class Score:
    """Figures over some sentences, named as in the metrics' catalogue; None for unknown."""

    similarity: Estimate | None
    word_error_rate: Estimate | None
    word_error_ratio: Estimate | None
    """Over the source recordings' own."""
    character_error_rate: Estimate | None
    character_error_ratio: Estimate | None
    dnsmos: Estimate | None
    dnsmos_signal: Estimate | None
    dnsmos_background: Estimate | None
    f0_correlation: Estimate | None
    f0_error: Estimate | None
    """Percent, either way."""
    f0_shift: Estimate | None
    """Percent, signed."""
    mcd_db: Estimate | None


@dataclass(frozen=True)
class SystemScore:
    """All figures of one system in one condition."""

    name: str
    overall: Score
    speakers: dict[str, Score]
    sexes: dict[str, Score]
    """By ``F`` and ``M``, where the corpus says so."""
    sentences: tuple[SentenceScore, ...]
    deltas: Score | None = None
    """Less the baseline's on the same sentences; None for the baseline itself."""
    since_clean: Score | None = None
    """In noise: less the system's own without noise."""


@dataclass(frozen=True)
class ClosenessScore:
    """Figures of one system against another over some sentences."""

    stoi: Estimate | None
    pesq: Estimate | None
    snr_db: Estimate | None
    lsd_db: Estimate | None


@dataclass(frozen=True)
class Comparison:
    """One system against another: a student and its teacher, INT8 and fp32."""

    name: str
    against: str
    condition: str
    overall: ClosenessScore
    speakers: dict[str, ClosenessScore]
    sexes: dict[str, ClosenessScore]
    sentences: tuple[Closeness, ...]


@dataclass(frozen=True)
class EvaluationReport:
    """What was evaluated, on what, and how it came out."""

    corpus_hash: str
    """sha256 of the chosen recordings and their metadata."""
    target: str
    """The speaker to sound like."""
    target_f0_hz: float
    """Median over her centroid sentences."""
    seconds: float
    """Source speech that every system converted."""
    centroid_sentences: int
    unknown_words: tuple[str, ...]
    """Words that the recogniser's dictionary lacks; they are not counted."""
    baseline: str
    """The system that deltas are taken from."""
    sentences: tuple[Sentence, ...]
    """The source recordings in the order of every system's sentences."""
    ceiling: SystemScore
    """The target's own held-out recordings: as good as can be."""
    contenders: dict[str, SystemScore]
    """Without noise, by name."""
    noisy: dict[str, dict[str, SystemScore]] = field(default_factory=dict)
    """By condition and name."""
    comparisons: tuple[Comparison, ...] = ()
    audio: str | None = None
    """Folder of the converted audio, relative to the saved report."""
    schema: int = SCHEMA

    def to_json(self) -> str:
        """Return the report as JSON, sentences and what was heard included."""
        return json.dumps(asdict(self), indent=1, allow_nan=False)

    def save(self, path: str | Path) -> Path:
        """Write `to_json` to a file, which is whole or not there."""
        path = Path(path)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            part.write_text(self.to_json() + "\n", encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path

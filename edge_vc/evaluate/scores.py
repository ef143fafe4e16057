"""The report of an evaluation: figures per sentence, per speaker and over all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_vc.evaluate.intelligibility import Hearing
from edge_vc.evaluate.statistics import Estimate, bootstrap_ratio

SCHEMA = 1
"""Version of the JSON; a field is never given another meaning under the same number."""


@dataclass(frozen=True)
class SentenceScore:
    """One converted sentence."""

    utt_id: str
    speaker: str
    similarity: float
    """Cosine to the target's centroid, 0 to 1."""
    hearing: Hearing | None
    """None where the corpus does not say what was said."""


@dataclass(frozen=True)
class Score:
    """Figures over some sentences."""

    similarity: Estimate
    word_error_rate: Estimate | None
    character_error_rate: Estimate | None

    @classmethod
    def over(cls, sentences: Iterable[SentenceScore]) -> Score:
        """Average similarity per sentence, error rates per word and character."""
        sentences = tuple(sentences)
        heard = [score.hearing for score in sentences if score.hearing is not None]
        return cls(
            bootstrap_ratio([score.similarity for score in sentences]),
            _rate(heard, lambda h: h.word_errors, lambda h: h.words),
            _rate(heard, lambda h: h.character_errors, lambda h: h.characters),
        )


@dataclass(frozen=True)
class ContenderScore:
    """All figures of one contender."""

    name: str
    overall: Score
    speakers: dict[str, Score]
    sentences: tuple[SentenceScore, ...]

    @classmethod
    def of(cls, name: str, sentences: Iterable[SentenceScore]) -> ContenderScore:
        """Summarise over all sentences and per source speaker."""
        sentences = tuple(sentences)
        speakers = sorted({score.speaker for score in sentences})
        per_speaker = {
            speaker: Score.over(score for score in sentences if score.speaker == speaker)
            for speaker in speakers
        }
        return cls(name, Score.over(sentences), per_speaker, sentences)


@dataclass(frozen=True)
class EvaluationReport:
    """What was evaluated, on what, and how it came out."""

    corpus_hash: str
    """sha256 of the chosen recordings and their metadata."""
    target: str
    """The speaker to sound like."""
    seconds: float
    """Source speech that every contender converted."""
    centroid_sentences: int
    unknown_words: tuple[str, ...]
    """Words that the recogniser's dictionary lacks; they are not counted."""
    ceiling: ContenderScore
    """The target's own held-out recordings: as good as can be."""
    contenders: dict[str, ContenderScore]
    schema: int = SCHEMA

    def to_json(self) -> str:
        """Return the report as JSON, sentences and what was heard included."""
        return json.dumps(asdict(self), indent=1)

    def save(self, path: str | Path) -> Path:
        """Write `to_json` to a file."""
        path = Path(path)
        path.write_text(self.to_json() + "\n", encoding="utf-8")
        return path


def _rate(
    heard: list[Hearing], errors: Callable[[Hearing], int], units: Callable[[Hearing], int]
) -> Estimate | None:
    if not sum(map(units, heard)):
        return None
    return bootstrap_ratio([*map(errors, heard)], [*map(units, heard)])

"""Reading a saved evaluation strictly: it may come from anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from edge_vc.evaluate.metrics.pairwise import Closeness
from edge_vc.evaluate.report.report import (
    SCHEMA,
    ClosenessScore,
    Comparison,
    EvaluationReport,
    Score,
    Sentence,
    SentenceScore,
    SystemScore,
)
from edge_vc.settings.optional import EvaluationError
from edge_vc_runtime.schema.fields import FieldError, Fields, parse_object
from edge_vc_runtime.schema.records import from_json_value

MOST_BYTES = 64 << 20
MOST_SENTENCES = 5000
MOST_SYSTEMS = 64
MOST_CONDITIONS = 16
MOST_TEXT = 4000
MOST_NAME = 200

T = TypeVar("T")


def looks_like_evaluation(path: Path) -> bool:
    """Say whether a file is an evaluation rather than a profile, by its content alone."""
    try:
        return path.stat().st_size <= MOST_BYTES and "contenders" in parse_object(path.read_bytes())
    except (OSError, FieldError):
        return False


def read_evaluation(path: Path) -> EvaluationReport:
    """Read what `EvaluationReport.save` wrote.

    Raises `EvaluationError`, one line with the file, the key and the fact.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise EvaluationError(f"{path}: larger than the {MOST_BYTES >> 20} MB that are read")
        return _report(Fields(parse_object(path.read_bytes())))
    except OSError as error:
        raise EvaluationError(f"{path}: {error.strerror or error}") from error
    except FieldError as error:
        raise EvaluationError(f"{path}: {error}") from error


def _report(fields: Fields) -> EvaluationReport:
    schema = fields.integer("schema", 1, 1_000_000)
    if schema != SCHEMA:
        raise FieldError(f"schema is {schema}, this reads {SCHEMA}; evaluate again")
    report = EvaluationReport(
        corpus_hash=fields.text("corpus_hash", "[0-9a-f]{64}"),
        target=fields.text("target", limit=MOST_NAME),
        target_f0_hz=fields.number("target_f0_hz", 0, 1e6),
        seconds=fields.number("seconds", 0, 1e9),
        centroid_sentences=fields.integer("centroid_sentences", 0, 1 << 30),
        unknown_words=tuple(str(word)[:MOST_NAME] for word in fields.items("unknown_words", 10**6)),
        baseline=fields.text("baseline", limit=MOST_NAME),
        sentences=tuple(_leaves(fields, "sentences", Sentence)),
        ceiling=_system(fields.child("ceiling")),
        contenders=_by_name(fields.child("contenders"), _system, MOST_SYSTEMS),
        noisy=_by_name(
            fields.child("noisy"),
            lambda scores: _by_name(scores, _system, MOST_SYSTEMS),
            MOST_CONDITIONS,
        ),
        comparisons=tuple(_comparison(pair) for pair in fields.children("comparisons", 10_000)),
        audio=_folder(fields.take("audio")),
    )
    fields.done()
    _check(report)
    return report


def _system(fields: Fields) -> SystemScore:
    score = SystemScore(
        name=fields.text("name", limit=MOST_NAME),
        overall=_leaf(fields, "overall", Score),
        speakers=_by_name(fields.child("speakers"), _score, MOST_SENTENCES),
        sexes=_by_name(fields.child("sexes"), _score, MOST_SYSTEMS),
        sentences=tuple(_leaves(fields, "sentences", SentenceScore)),
        deltas=fields.optional("deltas", _score),
        since_clean=fields.optional("since_clean", _score),
    )
    fields.done()
    return score


def _comparison(fields: Fields) -> Comparison:
    pair = Comparison(
        name=fields.text("name", limit=MOST_NAME),
        against=fields.text("against", limit=MOST_NAME),
        condition=fields.text("condition", limit=MOST_NAME),
        overall=_leaf(fields, "overall", ClosenessScore),
        speakers=_by_name(fields.child("speakers"), _closeness, MOST_SENTENCES),
        sexes=_by_name(fields.child("sexes"), _closeness, MOST_SYSTEMS),
        sentences=tuple(_leaves(fields, "sentences", Closeness)),
    )
    fields.done()
    return pair


def _score(fields: Fields) -> Score:
    return from_json_value(Score, fields.rest())


def _closeness(fields: Fields) -> ClosenessScore:
    return from_json_value(ClosenessScore, fields.rest())


def _leaf(fields: Fields, key: str, kind: type[T]) -> T:
    return from_json_value(kind, fields.take(key), fields.path(key))


def _leaves(fields: Fields, key: str, kind: type[T]) -> Iterable[T]:
    where = fields.path(key)
    for index, value in enumerate(fields.items(key, MOST_SENTENCES)):
        yield from_json_value(kind, value, f"{where}[{index}]")


def _by_name(fields: Fields, read: Callable[[Fields], T], most: int) -> dict[str, T]:
    names = fields.names()
    if len(names) > most or any(len(name) > MOST_NAME for name in names):
        raise FieldError(
            f"{fields.path('')} has {len(names)} names; up to {most} of {MOST_NAME} characters "
            "are read"
        )
    return {name: read(fields.child(name)) for name in names}


def _folder(value: object) -> str | None:
    """A relative folder that stays inside; anything else might show a page any file."""
    if value is None:
        return None
    path = Path(value) if isinstance(value, str) and len(value) <= MOST_TEXT else Path("/")
    if path.is_absolute() or ".." in path.parts or "\0" in str(path):
        raise FieldError("audio is no folder beside the report; name it with --audio")
    return str(path)


def _check(report: EvaluationReport) -> None:
    """Check what the page relies on: every system has the same sentences, texts are texts."""
    for sentence in report.sentences:
        if max(map(len, (sentence.text, sentence.target_text))) > MOST_TEXT:
            raise FieldError(f"sentences has a text of more than {MOST_TEXT} characters")
        if max(map(len, (sentence.utt_id, sentence.speaker, sentence.sex))) > MOST_NAME:
            raise FieldError(f"sentences has a name of more than {MOST_NAME} characters")
    if not report.contenders or not report.sentences:
        raise FieldError("contenders and sentences have to hold something")
    for scores in (report.contenders, *report.noisy.values()):
        for name, score in scores.items():
            ids = [(one.speaker, one.utt_id) for one in score.sentences]
            if ids != [(one.speaker, one.utt_id) for one in report.sentences]:
                raise FieldError(f"contenders.{name[:60]!a} has other sentences than the report")

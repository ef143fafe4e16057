"""Read a saved evaluation strictly: files may come from untrusted sources."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TypeVar

from edge_vc.evaluate.metrics.metric import Counts, MetricInfo, Value
from edge_vc.evaluate.report.bootstrap import Estimate
from edge_vc.evaluate.report.report import (
    SCHEMA,
    Comparison,
    EvaluationReport,
    Score,
    Sentence,
    SentenceScore,
    SystemScore,
)
from edge_vc.evaluate.report.schema2 import upgraded
from edge_vc.settings.optional import EvaluationError
from edge_vc_runtime.schema.fields import FieldError, Fields, parse_object
from edge_vc_runtime.schema.records import from_json_value

MOST_BYTES = 64 << 20
MOST_SENTENCES = 5000
MOST_SYSTEMS = 64
MOST_CONDITIONS = 16
MOST_METRICS = 64
MOST_TEXT = 4000
MOST_NAME = 200
MOST_PHONES = 40_000
"""Most characters of a sentence's phones."""

NAME = r"(?s:.*)"
"""Names come from folders and files, which may contain any character but control codes."""

TABLE = r"voice(_[a-z0-9]+)*"
"""Names of condensed evaluations, e.g. ``voice_flemish``."""

T = TypeVar("T")


def looks_like_evaluation(path: Path) -> bool:
    """Return whether a file is an evaluation rather than a profile, by its content alone."""
    try:
        return path.stat().st_size <= MOST_BYTES and "corpus_hash" in parse_object(
            path.read_bytes()
        )
    except (OSError, FieldError):
        return False


def other_kind(path: Path) -> str:
    """Describe a JSON file that is neither an evaluation nor a profile; empty if it may be one.

    Evaluations have the key ``corpus_hash``, profiles ``schema_version``.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            return ""
        value = parse_object(path.read_bytes())
    except (OSError, FieldError):
        return ""
    if "benchmark" in value and "corpus_hash" not in value:
        return f"the benchmark {value['benchmark']!r:.60} (benchmarks/table.py shows it)"
    return "" if {"corpus_hash", "schema_version"} & {*value} else "something else"


def read_evaluation(path: Path) -> EvaluationReport:
    """Read a file written by `EvaluationReport.save`, in the current schema or schema 2.

    Raises `EvaluationError`, a one-line message with the file, the key and the problem.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise EvaluationError(f"{path}: larger than the {MOST_BYTES >> 20} MB that are read")
        value = parse_object(path.read_bytes())
        report = _report(Fields(upgraded(value) if value.get("schema") == 2 else value))
    except OSError as error:
        raise EvaluationError(f"{path}: {error.strerror or error}") from error
    except FieldError as error:
        raise EvaluationError(f"{path}: {error}") from error
    return report


def _report(fields: Fields) -> EvaluationReport:
    schema = fields.integer("schema", 1, 1_000_000)
    if schema != SCHEMA:
        raise FieldError(f"schema is {schema}, this reads 2 and {SCHEMA}; evaluate again")
    if "benchmark" in fields.names():
        fields.text("benchmark", TABLE, MOST_NAME)
    metrics, intrusive = (_metrics(fields, key) for key in ("metrics", "intrusive_metrics"))
    read = _ScoreReader({metric.key for metric in metrics})
    read_pair = _ScoreReader({metric.key for metric in intrusive})
    report = EvaluationReport(
        corpus_hash=fields.text("corpus_hash", "[0-9a-f]{64}"),
        target=fields.text("target", NAME, MOST_NAME),
        target_f0_hz=fields.number("target_f0_hz", 0, 1e6),
        seconds=fields.number("seconds", 0, 1e9),
        centroid_sentences=fields.integer("centroid_sentences", 0, 1 << 30),
        unknown_words=tuple(str(word)[:MOST_NAME] for word in fields.items("unknown_words", 10**6)),
        metrics=metrics,
        intrusive_metrics=intrusive,
        baseline=fields.text("baseline", NAME, MOST_NAME),
        sentence_count=fields.integer("sentence_count", 1, MOST_SENTENCES),
        sentences=tuple(
            from_json_value(Sentence, value, where)
            for value, where in _items(fields, "sentences", MOST_SENTENCES)
        ),
        topline=read.system(fields.child("topline")),
        systems=_by_name(fields.child("systems"), read.system, MOST_SYSTEMS),
        noisy=_by_name(
            fields.child("noisy"),
            lambda scores: _by_name(scores, read.system, MOST_SYSTEMS),
            MOST_CONDITIONS,
        ),
        comparisons=tuple(
            read_pair.comparison(pair) for pair in fields.children("comparisons", 10_000)
        ),
        audio=_folder(fields.take("audio")),
    )
    fields.done()
    _check(report)
    return report


def _metrics(fields: Fields, key: str) -> tuple[MetricInfo, ...]:
    found = []
    for value, where in _items(fields, key, MOST_METRICS):
        try:
            found.append(from_json_value(MetricInfo, value, where))
        except FieldError:
            raise
        except ValueError as error:
            raise FieldError(f"{where}: {error}") from error
    return tuple(found)


class _ScoreReader:
    """Reads scores whose keys are those of the report's metrics."""

    def __init__(self, keys: Collection[str]) -> None:
        self._keys = keys

    def system(self, fields: Fields) -> SystemScore:
        score = SystemScore(
            name=fields.text("name", NAME, MOST_NAME),
            overall=self._score(fields.child("overall")),
            speakers=_by_name(fields.child("speakers"), self._score, MOST_SENTENCES),
            sexes=_by_name(fields.child("sexes"), self._score, MOST_SYSTEMS),
            sentences=self._sentences(fields),
            deltas=fields.optional("deltas", self._score),
            since_clean=fields.optional("since_clean", self._score),
        )
        fields.done()
        return score

    def comparison(self, fields: Fields) -> Comparison:
        pair = Comparison(
            name=fields.text("name", NAME, MOST_NAME),
            against=fields.text("against", NAME, MOST_NAME),
            condition=fields.text("condition", NAME, MOST_NAME),
            overall=self._score(fields.child("overall")),
            speakers=_by_name(fields.child("speakers"), self._score, MOST_SENTENCES),
            sexes=_by_name(fields.child("sexes"), self._score, MOST_SYSTEMS),
            sentences=self._sentences(fields),
        )
        fields.done()
        return pair

    def _score(self, fields: Fields) -> Score:
        return self._by_metric(fields, _estimate)

    def _sentences(self, fields: Fields) -> tuple[SentenceScore, ...]:
        return tuple(map(self._sentence, fields.children("sentences", MOST_SENTENCES)))

    def _sentence(self, fields: Fields) -> SentenceScore:
        score = SentenceScore(
            utt_id=fields.text("utt_id", NAME, MOST_NAME),
            speaker=fields.text("speaker", NAME, MOST_NAME),
            sex=fields.text("sex", NAME, MOST_NAME),
            scores=self._by_metric(fields.child("scores"), _value),
            transcript=_text(fields, "transcript", MOST_TEXT),
            phones=_text(fields, "phones", MOST_PHONES) if "phones" in fields.names() else None,
        )
        fields.done()
        return score

    def _by_metric(self, fields: Fields, read: Callable[[object, str], T]) -> dict[str, T]:
        unknown = next((key for key in fields.names() if key not in self._keys), None)
        if unknown is not None:
            raise FieldError(f"{fields.path(unknown)} is not a metric of the report")
        return {key: read(fields.take(key), fields.path(key)) for key in fields.names()}


def _estimate(value: object, where: str) -> Estimate | None:
    return None if value is None else from_json_value(Estimate, value, where)


def _value(value: object, where: str) -> Value:
    if value is None:
        return None
    if isinstance(value, dict):
        return from_json_value(Counts, value, where)
    return from_json_value(float, value, where)


def _text(fields: Fields, key: str, most: int) -> str | None:
    value = fields.take(key)
    if value is not None and (not isinstance(value, str) or len(value) > most):
        raise FieldError(f"{fields.path(key)} must be text of up to {most} characters")
    return value


def _items(fields: Fields, key: str, most: int) -> Iterable[tuple[object, str]]:
    where = fields.path(key)
    return [(value, f"{where}[{n}]") for n, value in enumerate(fields.items(key, most))]


def _by_name(fields: Fields, read: Callable[[Fields], T], most: int) -> dict[str, T]:
    names = fields.names()
    if len(names) > most or any(len(name) > MOST_NAME for name in names):
        raise FieldError(
            f"{fields.path('')} has {len(names)} names; up to {most} of {MOST_NAME} characters "
            "are read"
        )
    return {name: read(fields.child(name)) for name in names}


def _folder(value: object) -> str | None:
    """Return a relative folder inside; any other could make a page show arbitrary files."""
    if value is None:
        return None
    path = Path(value) if isinstance(value, str) and len(value) <= MOST_TEXT else Path("/")
    if path.is_absolute() or ".." in path.parts or "\0" in str(path):
        raise FieldError("audio must be a folder beside the report; name it with --audio")
    return str(path)


def _check(report: EvaluationReport) -> None:
    """Check what the page relies on: lengths of texts, the same sentences in every system."""
    for sentence in report.sentences:
        if max(map(len, (sentence.text, sentence.target_text))) > MOST_TEXT:
            raise FieldError(f"sentences has a text of more than {MOST_TEXT} characters")
        if max(map(len, (sentence.utt_id, sentence.speaker, sentence.sex))) > MOST_NAME:
            raise FieldError(f"sentences has a name of more than {MOST_NAME} characters")
    if not report.systems:
        raise FieldError("systems is empty; a report has one or more")
    if report.sentences and len(report.sentences) != report.sentence_count:
        raise FieldError(f"sentence_count is {report.sentence_count}, not {len(report.sentences)}")
    for scores in (report.systems, *report.noisy.values()):
        for name, score in scores.items():
            ids = [(one.speaker, one.utt_id) for one in score.sentences]
            if ids != [(one.speaker, one.utt_id) for one in report.sentences]:
                raise FieldError(f"systems.{name[:60]!a} has other sentences than the report")

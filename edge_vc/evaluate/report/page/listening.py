"""One sentence to listen to: every version with its player, spectrogram and F0 contour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_vc.audio.io import Samples, read_beginning
from edge_vc.audio.pitch import Pitch
from edge_vc.data.transcript import words_of
from edge_vc.evaluate.audio_folder import TARGET, AudioFolder
from edge_vc.evaluate.metrics.metric import Counts, MetricInfo, Value
from edge_vc.evaluate.metrics.prosody import contour
from edge_vc.evaluate.report.page.markup import Markup, tag
from edge_vc.evaluate.report.page.picture import f0_contour, spectrogram
from edge_vc.evaluate.report.page.sound import flac_uri
from edge_vc.evaluate.report.report import EvaluationReport, Sentence, SentenceScore
from edge_vc.evaluate.systems.open_system import RATE

SEXES = {"F": "a woman", "M": "a man"}
LONGEST_SECONDS = 20.0
"""Recordings are truncated to this length, so that one cannot fill the page."""
SHOWN_RANK = 7
"""Metrics up to this rank are shown below a player."""


@dataclass(frozen=True)
class SentenceAudio:
    """One recording of a sentence and the facts below its player."""

    name: str
    samples: Samples
    facts: tuple[Markup, ...]
    has_source_timing: bool
    """Whether its F0 can be overlaid on that of the source."""


def sentence_section(report: EvaluationReport, place: int, folder: Path) -> Markup:
    """Return a sentence with all its recordings.

    Raises `AudioError` if one is missing from the folder.
    """
    sentence = report.sentences[place]
    source: Pitch | None = None
    cards = []
    for recording in _recordings(report, place, folder):
        pitch = contour(recording.samples, RATE)
        cards.append(_card(recording, pitch, source if recording.has_source_timing else None))
        source = source or pitch
    sex = f", {SEXES[sentence.sex]}" if sentence.sex in SEXES else ""
    return tag(
        "section",
        tag("h3", f"{sentence.speaker}{sex} ", tag("small", sentence.utt_id)),
        tag("blockquote", sentence.text or "(no text)"),
        tag("div", *cards, class_="cards"),
        class_="sentence",
    )


def _recordings(report: EvaluationReport, place: int, folder: Path) -> Iterator[SentenceAudio]:
    """Yield the source, the target's own recording, then the conversions."""
    sentence, audio = report.sentences[place], AudioFolder(folder)
    source, *others = report.systems.values()
    for score in (source, None, *others):
        if score is None:
            path = audio.path("clean", TARGET, report.target, sentence.target_utt_id)
            said = tag("q", _target_text(sentence))
            yield SentenceAudio(f"{report.target} (target)", _read(path), (said,), False)
        else:
            path = audio.path("clean", score.name, sentence.speaker, sentence.utt_id)
            facts = tuple(_facts(report, sentence, score.sentences[place]))
            yield SentenceAudio(score.name, _read(path), facts, True)


def _read(path: Path) -> Samples:
    return read_beginning(path, RATE, LONGEST_SECONDS)


def _target_text(sentence: Sentence) -> str:
    same = sentence.target_text == sentence.text and sentence.text
    return "the same sentence" if same else f"another sentence: {sentence.target_text}"


def _card(recording: SentenceAudio, pitch: Pitch, source: Pitch | None) -> Markup:
    samples, name = recording.samples, recording.name
    return tag(
        "article",
        tag("h4", name),
        tag("audio", controls=True, preload="metadata", src=flac_uri(samples, RATE)),
        spectrogram(samples, RATE, pitch, name),
        f0_contour(source, pitch, samples.size, name),
        tag("p", *recording.facts, class_="facts"),
        class_="card",
    )


def _facts(report: EvaluationReport, sentence: Sentence, score: SentenceScore) -> Iterator[Markup]:
    """Yield the sentence's own scores, and the transcript if it differs from the text."""
    for metric in report.metrics:
        text = _score_text(score.scores.get(metric.key), metric)
        if metric.rank <= SHOWN_RANK and text:
            yield tag("span", f"{metric.title} ", tag("b", text))
    heard = score.transcript
    if heard is not None and heard.split() != words_of(sentence.text):
        yield tag("q", f"transcript: {heard or '(empty)'}")


def _score_text(value: Value, metric: MetricInfo) -> str:
    if value is None:
        return ""
    if isinstance(value, Counts):
        return f"{value.errors} of {value.total}"
    return f"{value:.{metric.digits}f}" + (f" {metric.unit}" if metric.unit in ("dB", "%") else "")

"""One sentence to listen to: every version with its player, spectrogram and melody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_vc.audio.io import Samples, read_audio
from edge_vc.audio.pitch import Pitch
from edge_vc.evaluate.audio_folder import TARGET, AudioFolder
from edge_vc.evaluate.metrics.prosody import contour
from edge_vc.evaluate.report.page.markup import Markup, tag
from edge_vc.evaluate.report.page.picture import melody, spectrogram
from edge_vc.evaluate.report.page.sound import flac_uri
from edge_vc.evaluate.report.report import EvaluationReport, Sentence, SentenceScore
from edge_vc.evaluate.systems.open_system import RATE

SEXES = {"F": "a woman", "M": "a man"}
LONGEST_SECONDS = 20.0
"""Recordings are cut here, so that one cannot fill the page."""


@dataclass(frozen=True)
class Version:
    """One way that a sentence was said."""

    name: str
    remark: str
    samples: Samples
    score: SentenceScore | None


def sentence_section(report: EvaluationReport, place: int, folder: Path) -> Markup:
    """Return a sentence with all its versions.

    Raises `AudioError` where the folder lacks one.
    """
    sentence = report.sentences[place]
    pitch: Pitch | None = None
    cards = []
    for version in _versions(report, place, folder):
        mine = contour(version.samples, RATE)
        same_words = version.score is not None
        cards.append(_card(version, mine, pitch if same_words else None))
        pitch = mine if pitch is None else pitch
    sex = f", {SEXES[sentence.sex]}" if sentence.sex in SEXES else ""
    return tag(
        "section",
        tag("h3", f"{sentence.speaker}{sex} ", tag("small", sentence.utt_id)),
        tag("blockquote", sentence.text or "(no text)"),
        tag("div", *cards, class_="cards"),
        class_="sentence",
    )


def _versions(report: EvaluationReport, place: int, folder: Path) -> Iterator[Version]:
    """Yield the source, the target's own recording, then the conversions."""
    sentence, kept = report.sentences[place], AudioFolder(folder)
    others = list(report.contenders.values())
    first = others.pop(0)
    for score in (first, None, *others):
        if score is None:
            path = kept.path("clean", TARGET, report.target, sentence.target_utt_id)
            yield Version(f"{report.target}, real", _beside(sentence), _read(path), None)
        else:
            path = kept.path("clean", score.name, sentence.speaker, sentence.utt_id)
            yield Version(score.name, "", _read(path), score.sentences[place])


def _read(path: Path) -> Samples:
    return read_audio(path, RATE)[: int(LONGEST_SECONDS * RATE)]


def _beside(sentence: Sentence) -> str:
    same = sentence.target_text == sentence.text and sentence.text
    return "the same sentence" if same else f"another sentence: {sentence.target_text}"


def _card(version: Version, mine: Pitch, source: Pitch | None) -> Markup:
    samples, name = version.samples, version.name
    return tag(
        "article",
        tag("h4", name),
        tag("audio", controls=True, preload="metadata", src=flac_uri(samples, RATE)),
        spectrogram(samples, RATE, mine, name),
        melody(source, mine, samples.size, name),
        tag("p", *_facts(version), class_="facts"),
        class_="card",
    )


def _facts(version: Version) -> Iterator[Markup]:
    """Yield the sentence's own figures, and what was heard where it was not what was said."""
    if version.remark:
        yield tag("q", version.remark)
    score = version.score
    if score is None:
        return
    opinion = None if score.naturalness is None else score.naturalness.overall
    said = [
        ("similarity", score.similarity, ".2f"),
        ("DNSMOS", opinion, ".2f"),
        ("F0 corr.", score.f0_correlation, ".2f"),
        ("MCD", score.mcd_db, ".1f"),
    ]
    for name, value, form in said:
        if value is not None:
            yield tag("span", f"{name} ", tag("b", f"{value:{form}}"))
    if score.hearing is not None:
        wrong = f"{score.hearing.word_errors} of {score.hearing.words}"
        yield tag("span", "words wrong ", tag("b", wrong))
        if score.hearing.word_errors:
            yield tag("q", f"heard: {score.hearing.heard or 'nothing'}")

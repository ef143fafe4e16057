"""The page: a whole evaluation in one HTML file that loads no external resources."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_vc import __version__
from edge_vc.audio.io import AudioError
from edge_vc.evaluate.report.page.choice import chosen_sentences
from edge_vc.evaluate.report.page.listening import sentence_section
from edge_vc.evaluate.report.page.markup import Markup, join, tag
from edge_vc.evaluate.report.page.parts import header_part, runs_part, tables_part
from edge_vc.evaluate.report.page.run_log import RunFacts
from edge_vc.evaluate.report.report import EvaluationReport
from edge_vc.settings.optional import EvaluationError
from edge_vc_runtime.files.writing import write_whole

MOST_BYTES = 14_000_000
"""Size limit of the page; sentences are added up to it."""
MOST_SENTENCES = 100

ProgressCallback = Callable[[int, int], None]


@dataclass(frozen=True)
class PageOptions:
    """Contents of the page besides the tables."""

    audio: Path | None = None
    """Folder written by `edge-vc evaluate --audio`; there are no players without it."""
    sentences: int = 6
    """Number of sentences to listen to, if they fit."""
    runs: tuple[RunFacts, ...] = ()
    """Runs whose curves and stages are shown."""


def write_page(
    report: EvaluationReport,
    path: str | Path,
    options: PageOptions | None = None,
    progress: ProgressCallback | None = None,
) -> Path:
    """Write the page, completely or not at all; raises `EvaluationError` if audio is missing."""
    path = Path(path)
    text = page_of(report, options or PageOptions(), progress)
    try:
        return write_whole(path, text)
    except OSError as error:
        raise EvaluationError(f"{path}: {error.strerror or error}") from error


def page_of(
    report: EvaluationReport, options: PageOptions, progress: ProgressCallback | None = None
) -> Markup:
    """Return the whole page."""
    if not 1 <= options.sentences <= MOST_SENTENCES:
        raise EvaluationError(f"{options.sentences} sentences; give 1 to {MOST_SENTENCES}")
    style, script = (_asset(name) for name in ("style.css", "player.js"))
    title = f"{report.target}: evaluation"
    body = tag(
        "main",
        header_part(report, title, bool(options.runs)),
        *tables_part(report),
        *_listening(report, options, progress),
        *runs_part(options.runs),
        tag("footer", f"Made by edge-vc {__version__}; recordings {report.corpus_hash[:12]}."),
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("style", style),
    )
    whole = tag("html", head, tag("body", body, tag("script", script)), lang="en")
    return join(Markup("<!doctype html>"), whole)


def _listening(
    report: EvaluationReport, options: PageOptions, progress: ProgressCallback | None
) -> Iterator[Markup]:
    yield tag("h2", "Listen", id="listen")
    if options.audio is None:
        yield tag("p", "No audio was kept: evaluate with --audio FOLDER to hear it here.",
                  class_="note")  # fmt: skip
        return
    sections = _sections(report, options, options.audio, progress)
    yield tag(
        "p",
        f"{len(sections)} sentences, chosen by speaker and name, not by their scores. "
        "Spectrograms reach from 60 Hz to 8 kHz, with F0 as a line; below them F0 alone from 60 to "
        "500 Hz, the source's in grey. Click a spectrogram to play from there.",
        class_="note",
    )
    yield from sections


def _sections(
    report: EvaluationReport, options: PageOptions, audio: Path, progress: ProgressCallback | None
) -> list[Markup]:
    sections: list[Markup] = []
    size = 0
    places = chosen_sentences(report.sentences, options.sentences)
    for number, place in enumerate(places, start=1):
        try:
            section = sentence_section(report, place, audio)
        except AudioError as error:
            raise EvaluationError(f"{error}; keep it by evaluating with --audio") from error
        size += len(section)
        if size > MOST_BYTES and sections:
            break
        sections.append(section)
        if progress:
            progress(number, len(places))
    return sections


def _asset(name: str) -> Markup:
    return Markup((Path(__file__).parent / name).read_text(encoding="utf-8"))


def _policy(style: str, script: str) -> str:
    """Return a policy that allows only the page's own style and script by hash, and data URIs."""
    hashes = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (style, script)
    ]
    return (
        f"default-src 'none'; img-src data:; media-src data:; style-src 'sha256-{hashes[0]}'; "
        f"script-src 'sha256-{hashes[1]}'; base-uri 'none'; form-action 'none'"
    )

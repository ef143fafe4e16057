"""The recordings to prepare: those listed in a table, or every audio file of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_vc.audio.io import AudioError
from edge_vc.audio.scan import READABLE, AudioScan, scan_audio
from edge_vc.audio.stream import AudioFile
from edge_vc.data.corpus_folder import transcript_beside
from edge_vc.data.corpus_table import METADATA, CorpusError, RecordingError, read_table
from edge_vc.data.file_name import file_name
from edge_vc.data.role import role_and_speaker
from edge_vc.data.utterance import Utterance
from edge_vc.prepare.settings import PrepareError


@dataclass(frozen=True)
class Source:
    """One recording that can be opened."""

    utterance: Utterance
    """Its description; ``seconds`` is the duration in the file's header."""
    name: str
    """Path relative to the folder, with ``/``."""


@dataclass(frozen=True)
class Drop:
    """A recording or piece left out of the prepared corpus, and why."""

    source: str
    """The recording's path relative to the folder."""
    start: float
    """Start of the piece within it, in seconds."""
    seconds: float
    """Duration; 0 if unknown."""
    reason: str
    """Category, one or two words."""
    detail: str
    """The cause, in one line."""


def find_sources(folder: Path) -> tuple[list[Source], list[Drop]]:
    """Return the recordings under ``folder`` that can be opened, in path order, and the others.

    Reads the folder's ``metadata.csv``, else every audio file, with role and speaker from its
    folder names (`role_and_speaker`) and the text of ``NAME.txt`` beside it. Raises
    `PrepareError` if there is nothing.
    """
    if not folder.is_dir():
        raise PrepareError(f"{folder}: no such folder; give one with recordings")
    table = folder / METADATA
    try:
        listed = list(_listed(table) if table.is_file() else _scanned(scan_audio(folder)))
    except CorpusError as error:
        raise PrepareError(f"{error}") from error
    if not listed:
        raise PrepareError(f"{folder}: holds no recordings ({READABLE})")
    opened = [_opened(folder, entry) if isinstance(entry, Utterance) else entry for entry in listed]
    sources = [entry for entry in opened if isinstance(entry, Source)]
    return sorted(sources, key=lambda s: s.name), [e for e in opened if isinstance(e, Drop)]


def _listed(table: Path) -> Iterator[Utterance | Drop]:
    seen: set[Path] = set()
    for row in read_table(table):
        try:
            utterance = row.read()
        except RecordingError as error:
            bad = error.left_out
            yield Drop(row.cells[0], 0.0, 0.0, bad.reason, bad.detail)
            continue
        except CorpusError as error:
            fact = str(error).removeprefix(f"{table}: ")
            yield Drop(row.cells[0], 0.0, 0.0, "bad line", f"{METADATA} {fact}")
            continue
        if utterance.path not in seen:
            seen.add(utterance.path)
            yield utterance


def _scanned(found: AudioScan) -> Iterator[Utterance | Drop]:
    for item in found.left_out:
        name = item.path.relative_to(found.root).as_posix()
        yield Drop(name, 0.0, 0.0, item.reason, item.detail)
    corpus = file_name(found.root.name)
    for path in found.files:
        role, speaker = role_and_speaker(found.root, path)
        text = transcript_beside(found.root, path)
        yield Utterance(path, file_name(path.stem), speaker, "", 0.0, corpus, role, "", text)


def _opened(folder: Path, utterance: Utterance) -> Source | Drop:
    name = utterance.path.relative_to(folder).as_posix()
    if not utterance.path.stat().st_size:
        return Drop(name, 0.0, 0.0, "empty", "0 bytes")
    try:
        with AudioFile(utterance.path) as file:
            seconds = file.seconds
    except AudioError as error:
        fact = str(error).removeprefix(f"{utterance.path}: ")
        return Drop(name, 0.0, 0.0, "unreadable", fact)
    if not seconds:
        return Drop(name, 0.0, 0.0, "empty", "holds no samples")
    fields = {**vars(utterance), "seconds": seconds}
    return Source(Utterance(**fields), name)

"""A folder of recordings, described by its ``metadata.csv`` or by its file names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from edge_vc.audio.io import AudioError, Samples, read_audio, seconds_of
from edge_vc.audio.scan import AudioScan, LeftOut, scan_audio

METADATA = "metadata.csv"
"""The table beside the recordings: ``|``-separated, no quoting, a header line."""


class CorpusError(ValueError):
    """A corpus that cannot be read; the message names file, line and fact."""


@dataclass(frozen=True)
class Utterance:
    """One recording; the fields are the columns of ``metadata.csv`` in order."""

    path: Path
    """Absolute path of the audio file."""
    utt_id: str
    speaker: str
    sex: str
    """``F``, ``M`` or empty."""
    seconds: float
    corpus: str
    role: str
    """What it is for: ``target``, ``source``, ``target-reference``, ``unseen-source``, ..."""
    licence: str
    text: str
    """What is said; empty when unknown."""

    def read(self, sample_rate: int) -> Samples:
        """Return the recording as mono ``[T]`` at ``sample_rate`` Hz."""
        return read_audio(self.path, sample_rate)


COLUMNS = tuple(field.name for field in fields(Utterance))


@dataclass(frozen=True)
class Corpus:
    """Utterances under one folder, in the order of its table."""

    root: Path
    utterances: tuple[Utterance, ...]
    left_out: tuple[LeftOut, ...] = ()
    """Files that look like recordings and are none; of a folder without a table."""

    @classmethod
    def open(cls, root: str | Path) -> Corpus:
        """Open a folder: by its ``metadata.csv``, else every audio file under it (`scan_audio`).

        Without a table, the speaker is the name of the file's folder (the corpus folder's own
        for files directly in it) and the role is ``source``.
        Raises `CorpusError` for a missing or empty folder and for any bad line of the table.
        """
        root = Path(root).resolve()
        if not root.is_dir():
            raise CorpusError(f"{root}: no such folder; give a folder of recordings")
        table = root / METADATA
        if table.is_file():
            found = AudioScan(root, ())
            utterances = [read_row(table, number, line) for number, line in table_lines(table)]
        else:
            found = scan_audio(root)
            utterances = [_unlabelled(root, path) for path in found.files]
        if not utterances:
            raise CorpusError(found.nothing())
        return cls(root, tuple(utterances), found.left_out)

    def __len__(self) -> int:
        """Return the number of utterances."""
        return len(self.utterances)

    def __iter__(self) -> Iterator[Utterance]:
        """Iterate over the utterances in order."""
        return iter(self.utterances)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Names of the speakers, sorted."""
        return tuple(sorted({utterance.speaker for utterance in self}))

    @property
    def seconds(self) -> float:
        """Duration of all utterances together."""
        return sum(utterance.seconds for utterance in self)

    def select(self, role: str | None = None, speaker: str | None = None) -> Corpus:
        """Return the utterances of a role, a speaker or both; there may be none."""
        kept = (
            utterance
            for utterance in self
            if role in (None, utterance.role) and speaker in (None, utterance.speaker)
        )
        return Corpus(self.root, tuple(kept))

    def content_hash(self) -> str:
        """Return the sha256 over every utterance's metadata and file bytes, in order of path.

        Independent of the path of the corpus and of the order of its table.
        """
        digest = hashlib.sha256()
        for utterance in sorted(self, key=lambda utterance: utterance.path):
            name = utterance.path.relative_to(self.root).as_posix()
            row = [name, *(str(value) for value in astuple(utterance)[1:])]
            file_hash = hashlib.sha256(utterance.path.read_bytes()).hexdigest()
            digest.update("|".join([*row, file_hash, "\n"]).encode())
        return digest.hexdigest()


def write_metadata(root: Path, utterances: list[Utterance]) -> Path:
    """Write the table of a new corpus under ``root``; the paths become relative to it."""
    lines = ["|".join(COLUMNS)]
    for utterance in utterances:
        path = utterance.path.relative_to(root).as_posix()
        row = [path, *(str(value) for value in astuple(utterance)[1:])]
        if any("|" in value or "\n" in value for value in row):
            raise CorpusError(f"{path}: metadata holds '|' or a line break, which the table cannot")
        lines.append("|".join(row))
    table = root / METADATA
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table


def table_lines(table: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of the rows of a ``metadata.csv``; `CorpusError` for another file."""
    lines = table.read_text(encoding="utf-8").splitlines()
    if not lines or tuple(lines[0].split("|")) != COLUMNS:
        raise CorpusError(f"{table}: line 1 is not the header {'|'.join(COLUMNS)}")
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            yield number, line


def read_row(table: Path, number: int, line: str) -> Utterance:
    """Return one row; raises `CorpusError` with its number when it is bad or its file missing."""
    values = line.split("|")
    where = f"{table}: line {number}"
    if len(values) != len(COLUMNS):
        raise CorpusError(f"{where} has {len(values)} columns, not {len(COLUMNS)}")
    path = (table.parent / values[0]).resolve()
    if not path.is_relative_to(table.parent):
        raise CorpusError(f"{where}: {values[0]} is outside the corpus folder")
    if not path.is_file():
        raise CorpusError(f"{where}: {values[0]} does not exist")
    try:
        seconds = float(values[4])
    except ValueError as error:
        raise CorpusError(f"{where}: seconds is {values[4]!r}, not a number") from error
    return Utterance(path, values[1], values[2], values[3], seconds, *values[5:])


def _unlabelled(root: Path, path: Path) -> Utterance:
    try:
        seconds = seconds_of(path)
    except AudioError as error:
        raise CorpusError(str(error)) from error
    return Utterance(path, path.stem, path.parent.name, "", seconds, root.name, "source", "", "")

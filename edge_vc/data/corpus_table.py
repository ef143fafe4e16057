"""The table of a corpus: our own ``metadata.csv``, or that of LJSpeech and Piper.

Tables come from untrusted sources: spreadsheets add a byte order mark and use commas, texts contain
any character, and names must not be trusted as paths.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_vc.audio.io import AudioError, seconds_of
from edge_vc.audio.scan import SUFFIXES, LeftOut
from edge_vc.data.file_name import file_name
from edge_vc.data.utterance import COLUMNS, Utterance

METADATA = "metadata.csv"
"""The table next to the recordings: ``|``-separated, no quoting, a header line."""
_SEPARATORS = "|\t;,"
_FOLDERS = ("wavs", "wav", ".")  # where LJSpeech, Piper and users keep the recordings
_BESIDE = ("", "clips", "wavs", "wav")  # what Common Voice and others leave out of a path
_OTHERS = {
    "path": "file_name filename file audio audio_file audio_filepath wav wav_path",
    "utt_id": "id utterance_id",
    "speaker": "client_id speaker_id speaker_name spk_id",
    "sex": "gender",
    "seconds": "duration",
    "text": "sentence transcript transcription raw_text",
}
NAMES = {other: name for name, others in _OTHERS.items() for other in others.split()}
"""Our column for each name used in Common Voice, audio folders, NeMo's and other tables."""
_LONGEST_CELL = 20  # lines
_BEGINNING = 1 << 16  # bytes
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


class CorpusError(ValueError):
    """A corpus that cannot be read; the message names file, line and fact."""


class RecordingError(CorpusError):
    """A line whose recording is missing or unreadable; other lines are unaffected."""

    def __init__(self, place: str, path: Path, reason: str, fact: str) -> None:
        super().__init__(f"{place}: {fact}")
        self.left_out = LeftOut(path, reason, fact)


@dataclass(frozen=True)
class TableRow:
    """One line of a table."""

    table: Path
    number: int
    """Number of the line, from 1."""
    columns: tuple[str, ...]
    cells: tuple[str, ...]

    def read(self) -> Utterance:
        """Return the utterance; raises `CorpusError` if the line is bad or its file missing."""
        if len(self.cells) != len(self.columns):
            raise self._error(f" has {len(self.cells)} columns, not {len(self.columns)}")
        values = dict(zip(self.columns, self.cells, strict=True))
        path = self._path(values)
        return Utterance(
            path=path,
            utt_id=file_name(values.get("utt_id") or path.stem),
            speaker=_speaker(values.get("speaker", self.table.parent.name)),
            sex=values.get("sex", ""),
            seconds=self._seconds(values.get("seconds", ""), path),
            corpus=values.get("corpus") or file_name(self.table.parent.name),
            role=values.get("role") or "source",
            licence=values.get("licence", ""),
            text=values.get("text", ""),
        )

    def _path(self, values: dict[str, str]) -> Path:
        root = self.table.parent
        if "path" not in values:
            return self._by_id(values["utt_id"])
        name = values["path"]
        path = _resolved(root / name)
        if not path.is_relative_to(root):
            if Path(name).is_absolute():
                return self._copied_in(name)
            raise self._error(f": {name:.200} is outside the corpus folder")
        # Tables made on Windows use backslashes.
        spelled = (name, name.replace("\\", "/"))
        found = (_resolved(root / folder / each) for each in spelled for folder in _BESIDE)
        for place in found:
            if place.is_relative_to(root) and _is_file(place):
                return place
        raise self._missing(name, path)

    def _copied_in(self, name: str) -> Path:
        """Return the copy in the corpus folder of a recording listed with a path outside it."""
        last = Path(name).name
        places = (_resolved(self.table.parent / folder / last) for folder in _BESIDE)
        for place in places:
            if place.is_relative_to(self.table.parent) and _is_file(place):
                return place
        raise self._error(
            f": {name:.200} is outside the corpus folder; copy the recordings into its "
            f"{_FOLDERS[0]}/, where they are found by file name"
        )

    def _by_id(self, name: str) -> Path:
        found = _recording(self.table.parent, name)
        if found is None:
            path = self.table.parent / _FOLDERS[0] / f"{name}.wav"
            raise self._missing(f"{_FOLDERS[0]}/{name}.wav", path)
        return found

    def _seconds(self, text: str, path: Path) -> float:
        if not text:
            return self._measured(path)
        try:
            seconds = float(text)
        except ValueError as error:
            raise self._error(f": seconds is {text!r:.40}, not a number") from error
        if not (math.isfinite(seconds) and seconds >= 0):
            raise self._error(f": seconds is {text!r:.40}, not a duration")
        return seconds

    def _measured(self, path: Path) -> float:
        try:
            return seconds_of(path)
        except AudioError as error:
            fact = str(error).removeprefix(f"{path}: ")
            raise RecordingError(str(self.table), path, "unreadable", fact) from error

    def _missing(self, name: str, path: Path) -> RecordingError:
        fact = f"{self.table.name} line {self.number}: {name:.200} does not exist"
        return RecordingError(str(self.table.parent), path, "missing", fact)

    def _error(self, fact: str) -> CorpusError:
        return CorpusError(f"{self.table}: line {self.number}{fact}")


def read_table(table: Path) -> tuple[TableRow, ...]:
    """Return the rows of a table; `TableRow.read` checks each.

    Reads our own columns, all or some of them, in any order and separated by any of ``| , ; tab``,
    and LJSpeech's and Piper's tables (``ID|text``, ``ID|text|text``, ``ID|speaker|text`` without
    a header, recordings in ``wavs/``). Raises `CorpusError` for any other table.
    """
    lines = [line.rstrip("\r") for line in decoded(table).split("\n")]
    separator, columns = _header(table, lines[0])
    numbered = list(_rows(lines, separator))
    if columns:
        numbered = numbered[1:]
    cells = {n: _cells(line, separator) for n, line in numbered if line.strip()}
    columns = columns or _headless_columns(table, list(cells.values()))
    return tuple(TableRow(table, n, columns, row) for n, row in cells.items())


def is_foreign_table(path: Path) -> bool:
    """Whether a file would be read as a table of recordings if it were named `METADATA`."""
    if path.suffix.lower() not in (".csv", ".tsv") or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            first = file.read(_BEGINNING).decode("utf-8-sig", errors="replace").partition("\n")[0]
        return bool(_header(path, first.rstrip("\r"), strict=False)[1])
    except OSError:
        return False


def decoded(table: Path) -> str:
    """Return a table's text; raises `CorpusError` with line and column if it is not UTF-8."""
    data = table.read_bytes()
    coding = next((name for mark, name in _BOMS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(coding)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = before[before.rfind(b"\n") + 1 :].count(b"|") + 1
        raise CorpusError(
            f"{table}: line {line}, column {column} is not {coding.upper()}; convert the table, "
            f"for instance: iconv -f LATIN1 -t UTF-8 {table.name} -o utf8.csv && "
            f"mv utf8.csv {table.name}"
        ) from error


def _rows(lines: Sequence[str], separator: str) -> Iterator[tuple[int, str]]:
    """Yield each row with the number of its first line; a quoted text may span several lines."""
    place = 0
    while place < len(lines):
        first, row = place, lines[place]
        place += 1
        if separator == "|" or row.count('"') % 2 == 0:
            yield first + 1, row
            continue
        for end in range(place, min(place + _LONGEST_CELL, len(lines))):
            if lines[end].count('"') % 2:
                row, place = " ".join(lines[first : end + 1]), end + 1
                break
        yield first + 1, row


def _header(table: Path, line: str, *, strict: bool = True) -> tuple[str, tuple[str, ...]]:
    """Return the separator and the columns of our own header; no columns for any other table.

    ``strict`` raises `CorpusError` for an unknown column.
    """
    for separator in _SEPARATORS:
        given = tuple(cell.strip().lower() for cell in _cells(line, separator))
        columns = tuple(NAMES.get(cell, cell) for cell in given)
        # A table without a header may begin with a recording whose text is "audio".
        if "path" in given or ("path" in columns and not _recording(table.parent, given[0])):
            if strict:
                _check_columns(table, columns, separator)
            return separator, columns
    return "|", ()


def _check_columns(table: Path, columns: tuple[str, ...], separator: str) -> None:
    kept = [str(n) for n, column in enumerate(columns, start=1) if column in COLUMNS]
    cut = f"cut -d '{separator}'" if separator != "\t" else "cut"
    for number, column in enumerate(columns, start=1):
        if column not in COLUMNS:
            raise CorpusError(
                f"{table}: line 1, column {number} is {column!r:.40}; known are "
                f"{', '.join(COLUMNS)}: rename it, or keep the known ones: {cut} "
                f"-f {','.join(kept)} {table.name} > own.csv && mv own.csv {table.name}"
            )
        if columns.index(column) != number - 1:
            raise CorpusError(f"{table}: line 1, column {number} is {column} a second time")


def _headless_columns(table: Path, rows: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the columns of LJSpeech's or Piper's table; raises `CorpusError` for any other."""
    width = len(rows[0]) if rows else 0
    if width not in (2, 3) or _recording(table.parent, rows[0][0]) is None:
        raise CorpusError(
            f"{table}: line 1 is not the header {'|'.join(COLUMNS)} (path alone is needed), nor "
            "LJSpeech's ID|text with wavs/ID.wav beside it; without a table, every recording is "
            f"read: mv {table.name} {table.name}.txt"
        )
    if width == 2:
        return ("utt_id", "text")
    # The second of three columns is a speaker in Piper's tables and the text in LJSpeech's.
    if any(" " in row[1] for row in rows if len(row) == width):
        return ("utt_id", "text", "normalized")
    return ("utt_id", "speaker", "text")


def _recording(root: Path, name: str) -> Path | None:
    """Return the recording that LJSpeech's ID names, None if the folder does not contain it."""
    for folder in _FOLDERS:
        for suffix in ("", *sorted(SUFFIXES, reverse=True)):
            path = _resolved(root / folder / f"{name}{suffix}")
            if path.is_relative_to(root) and path.suffix.lower() in SUFFIXES and _is_file(path):
                return path
    return None


def _resolved(path: Path) -> Path:
    """Return the path without links; one that no file system can store is returned unchanged."""
    try:
        return path.resolve()
    except (OSError, ValueError):  # a loop of links, a NUL
        return path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long a name, a NUL
        return False


def _cells(line: str, separator: str) -> tuple[str, ...]:
    if separator == "|":
        return tuple(line.split("|"))
    try:
        return tuple(next(csv.reader([line], delimiter=separator), ()))
    except csv.Error:  # a field that is too long
        return (line,)


def _speaker(name: str) -> str:
    return file_name(name) if name else ""

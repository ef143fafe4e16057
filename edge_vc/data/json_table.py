"""JSON Lines tables: NeMo's manifests and the ``metadata.jsonl`` of audio folders."""

from __future__ import annotations

import json
import re
from pathlib import Path

from edge_vc.data.corpus_table import NAMES, CorpusError, TableRow, decoded
from edge_vc.data.utterance import COLUMNS

_NAME = re.compile(r"metadata\.jsonl|(.*[-_.])?manifest\.jsonl?", re.IGNORECASE)
_LONGEST = 1 << 20  # characters of a line
_BEGINNING = 1 << 16  # bytes


def find_json_table(root: Path) -> Path | None:
    """Return the folder's JSON Lines table, None if there is none.

    Raises `CorpusError` for several, with the command that joins them.
    """
    named = (path for path in sorted(root.iterdir()) if _NAME.fullmatch(path.name))
    found = [path for path in named if path.is_file() and _names_recordings(path)]
    own = [path for path in found if path.name.lower() == "metadata.jsonl"]
    if len(found) > 1 and not own:
        names = " ".join(path.name for path in found)
        raise CorpusError(
            f"{root}: holds {len(found)} tables, one is read; choose one, or join them: "
            f"cat {names} > metadata.jsonl"
        )
    return next(iter(own or found), None)


def read_json_table(table: Path) -> tuple[TableRow, ...]:
    """Return the rows of a table; keys that are not columns are ignored.

    Raises `CorpusError` with a line that is not an object or that names a part of a recording.
    """
    rows = []
    for number, line in enumerate(decoded(table).split("\n"), start=1):
        if line.strip():
            where = f"{table}: line {number}"
            values = _columns(_object(line, where), where)
            if not values.get("path"):
                raise CorpusError(f"{where} names no recording: audio_filepath is missing")
            rows.append(TableRow(table, number, tuple(values), tuple(values.values())))
    return tuple(rows)


def _names_recordings(table: Path) -> bool:
    """Whether the first line is an object with the path of a recording."""
    with table.open("rb") as file:
        first = file.read(_BEGINNING).lstrip(b"\xef\xbb\xbf \r\n").partition(b"\n")[0]
    try:
        return "path" in _columns(_object(first.decode(errors="replace"), ""), "")
    except CorpusError:
        return False


def _object(line: str, where: str) -> dict[str, object]:
    try:
        if len(line) > _LONGEST:
            raise ValueError(f"{len(line)} characters")
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        fact = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise CorpusError(f"{where} is not a line of JSON: {fact:.100}") from error
    if not isinstance(value, dict):
        raise CorpusError(f"{where} is not an object {{...}} but {line:.40}")
    return value


def _columns(values: dict[str, object], where: str) -> dict[str, str]:
    """Return what is known about one recording, by column."""
    found: dict[str, str] = {}
    for key, value in values.items():
        column = key if key in COLUMNS else NAMES.get(key.lower(), "")
        if column and (key == column or column not in found):
            found[column] = _text(value, f"{where}: {key}")
    offset = values.get("offset", 0)
    if offset not in (0, None, "0"):
        raise CorpusError(
            f"{where}: offset is {offset!r:.40}, a part of {found.get('path', 'a recording'):.100};"
            f" make a file of each part, with ffmpeg -ss {offset!s:.20} -t DURATION -i IN OUT, and "
            "name those"
        )
    return found


def _text(value: object, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise CorpusError(f"{where} is {value!r:.40}, not a text or a number")
    text = str(value).encode(errors="backslashreplace").decode()
    return " ".join(text.split("\n"))
